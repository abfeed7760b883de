// Shows records to @sd-jwt/core, which shares no line with ours.
//
//   node foreign_sdjwt.mjs FOLDER < records.json
//
// FOLDER is where npm installed the package. Reads [{record, spki}] and writes, for each, the
// payload with its disclosures put in place, or null where the package refuses. P-256 keys only.
import crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { SDJwtInstance } = createRequire(path.join(process.argv[2], "x.js"))("@sd-jwt/core");

const hasher = (data, algorithm) =>
  new Uint8Array(crypto.createHash(algorithm.replace("-", "")).update(Buffer.from(data)).digest());

async function payloadOf({ record, spki }) {
  const key = crypto.createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  const verifier = (data, signature) =>
    crypto.verify("sha256", Buffer.from(data), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  try {
    return (await new SDJwtInstance({ hasher, hashAlg: "sha-256", verifier }).verify(record)).payload;
  } catch {
    return null;
  }
}

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(asked.map(payloadOf))));
