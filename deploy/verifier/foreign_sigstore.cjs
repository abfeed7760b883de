// Asks @sigstore/verify (Apache-2.0) about receipts: an implementation that is not ours.
//
// Reads a JSON list of cases from standard input, writes a JSON list of booleans. Called by
// bench/interop_receipts.py inside a folder where the package was installed; no network.
// Its log is found by the first four bytes of a log id, which for a C2SP key are the key id.

"use strict";

const { createPublicKey } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const installed = join(process.argv[2], "node_modules", "@sigstore", "verify", "dist", "tlog");
const { verifyCheckpoint } = require(join(installed, "checkpoint.js"));
const { verifyMerkleInclusion } = require(join(installed, "merkle.js"));

const bytes = (text) => Buffer.from(text, "base64");

function holds(one) {
  const key = createPublicKey({ key: bytes(one.spki), format: "der", type: "spki" });
  const log = { logID: bytes(one.key_id), publicKey: key, baseURL: one.name };
  const entry = {
    canonicalizedBody: bytes(one.entry),
    inclusionProof: {
      logIndex: String(one.index),
      hashes: one.proof.map(bytes),
      checkpoint: { envelope: one.checkpoint },
    },
  };
  try {
    verifyMerkleInclusion(entry, verifyCheckpoint(entry, [log]));
    return true;
  } catch {
    return false;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(holds)));
