// Second implementation of the receipt verifier, in JavaScript, without any package.
//
// What it is for: a court or a partner checks a receipt with a program that shares no line with the
// Python one. Written from RFC 6962, RFC 9162 2.1.3.2 and C2SP signed-note and tlog-checkpoint.
// It knows Node (18 or newer) and node:crypto only; it touches no network.
//
//   node verify.mjs RECEIPT.json --log-key '<origin>+<8 hex>+<base64>'
//        [--request FILE] [--salt HEX] [--answer FILE] [--json]
//
// Exit codes: 0 proven, 1 tampered, 2 cannot tell, 3 unreadable input, 64 usage.

import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const MAX_RECEIPT_BYTES = 1_048_576;
const MAX_NOTE_BYTES = 131_072;
const MAX_ENTRY_BYTES = 2_048;
const MAX_PROOF_HASHES = 64;
const MAX_OPENINGS = 32;
const MAX_OPENED_BYTES = 4_096;
const MAX_SIGNATURES = 64;
const ED25519 = 1;
// RFC 8410 4: what stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");
const OUTCOMES = { PROVEN: 0, TAMPERED: 1, CANNOT_TELL: 2, UNREADABLE: 3 };
const CANNOT_TELL = new Set(["KEY_UNKNOWN", "SALT_ABSENT"]);

class Malformed extends Error {}

class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

function require_(condition, what) {
  if (!condition) throw new Malformed(what);
}

const sha256 = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

// Spelling: one accepted form for each value.

function parseBase64(text, what) {
  require_(typeof text === "string", `${what} is not a string`);
  const value = Buffer.from(text, "base64");
  require_(value.toString("base64") === text, `${what} is not base64 in its one spelling`);
  return value;
}

function parseHash(text) {
  const hash = parseBase64(text, "hash");
  require_(hash.length === 32, "hash is not 32 bytes");
  return hash;
}

function parseHex(text, length, what) {
  const spelled = typeof text === "string" && /^[0-9a-f]*$/.test(text);
  require_(spelled && text.length === 2 * length, `${what} is not ${length} bytes in hexadecimal`);
  return Buffer.from(text, "hex");
}

function parseNumber(text, what) {
  require_(/^(0|[1-9][0-9]{0,18})$/.test(text), `${what} is not a number in its one spelling`);
  const number = BigInt(text);
  require_(number < 1n << 63n, `${what} is too large`);
  return number;
}

function parseUtf8(raw, limit, what) {
  require_(raw.length <= limit, `${what} is too large`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw new Malformed(`${what} is not UTF-8`);
  }
}

// JSON, read by hand: JSON.parse keeps the last of two equal names and rounds numbers.

function parseJson(text, what) {
  let at = 0;
  const space = () => {
    while (at < text.length && " \t\n\r".includes(text[at])) at += 1;
  };
  const fail = () => {
    throw new Malformed(`${what} is not JSON`);
  };
  const take = (token) => {
    if (!text.startsWith(token, at)) fail();
    at += token.length;
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) fail();
    at += found[0].length;
    return found[0];
  };
  const STRING = /"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y;
  const INTEGER = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
  const members = (open, close, depth, one) => {
    if (depth > 8) fail();
    take(open);
    space();
    if (text[at] === close) return take(close);
    for (;;) {
      space();
      one();
      space();
      if (text[at] === close) return take(close);
      take(",");
    }
  };
  const value = (depth) => {
    space();
    const first = text[at];
    if (first === "{") {
      const found = new Map();
      members("{", "}", depth, () => {
        const name = JSON.parse(match(STRING));
        space();
        take(":");
        if (found.has(name)) fail();
        found.set(name, value(depth + 1));
      });
      return found;
    }
    if (first === "[") {
      const found = [];
      members("[", "]", depth, () => found.push(value(depth + 1)));
      return found;
    }
    if (first === '"') return JSON.parse(match(STRING));
    for (const [token, meaning] of [["true", true], ["false", false], ["null", null]]) {
      if (text.startsWith(token, at)) return take(token), meaning;
    }
    const number = Number(match(INTEGER));
    if (!Number.isSafeInteger(number)) fail();
    return number;
  };
  const read = value(1);
  space();
  if (at !== text.length) fail();
  return read;
}

// RFC 8785 for values without fractions; JavaScript sorts by UTF-16 code units as the RFC asks.
function encodeCanonical(value) {
  if (value instanceof Map) {
    const names = [...value.keys()].sort();
    const parts = names.map((name) => `${JSON.stringify(name)}:${encodeCanonical(value.get(name))}`);
    return `{${parts.join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(encodeCanonical).join(",")}]`;
  return JSON.stringify(value);
}

// C2SP signed note, verifier key, checkpoint.

function isKeyName(name) {
  // Python's and Unicode's spaces; \s lacks U+0085 and U+001C to U+001F.
  return name !== "" && !/[+\s\u0085\u0000-\u001f]/u.test(name);
}

function parseLogKey(text) {
  const first = text.indexOf("+");
  const second = text.indexOf("+", first + 1);
  require_(first > 0 && second > first, "log key is not <name>+<id>+<key>");
  const name = text.slice(0, first);
  const encoded = parseBase64(text.slice(second + 1), "log key");
  require_(isKeyName(name), "log key has no proper key name");
  require_(encoded.length === 33 && encoded[0] === ED25519, "log key is not an Ed25519 key");
  const id = sha256(name, "\n", encoded).subarray(0, 4);
  const stated = parseHex(text.slice(first + 1, second), 4, "log key id");
  require_(id.equals(stated), "log key id is not the id of the key");
  const der = Buffer.concat([ED25519_SPKI, encoded.subarray(1)]);
  return { name, id, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

function parseSignature(line) {
  const [, name, encoded] = /^\u2014 ([^ ]*) (.*)$/su.exec(line) ?? [];
  require_(name !== undefined && isKeyName(name), "signature line is malformed");
  const value = parseBase64(encoded, "signature");
  require_(value.length > 4, "signature is too short");
  return { name, id: value.subarray(0, 4), value: value.subarray(4) };
}

function verifyNote(raw, logKey) {
  const content = parseUtf8(raw, MAX_NOTE_BYTES, "note");
  require_(!/[\u0000-\u0009\u000b-\u001f]/.test(content), "note holds a control character");
  const split = content.lastIndexOf("\n\n");
  require_(split >= 0 && split + 2 < content.length && content.endsWith("\n"), "note is unsigned");
  const text = content.slice(0, split + 1);
  const lines = content.slice(split + 2, -1).split("\n");
  require_(lines.length <= MAX_SIGNATURES, "note has too many signatures");
  const signatures = lines.map(parseSignature);
  const signers = new Set(signatures.map(({ name, id }) => `${name} ${id.toString("hex")}`));
  require_(signers.size === signatures.length, "note is signed twice by one key");
  const ours = signatures.find(({ name, id }) => name === logKey.name && id.equals(logKey.id));
  if (ours === undefined) throw new Refused("KEY_UNKNOWN");
  const holds = ours.value.length === 64 && verify(null, Buffer.from(text), logKey.key, ours.value);
  if (!holds) throw new Refused("SIGNATURE_INVALID");
  return text;
}

function verifyCheckpoint(raw, logKey) {
  const text = verifyNote(raw, logKey);
  const lines = text.slice(0, -1).split("\n");
  require_(lines.length >= 3 && lines.length <= 19, "checkpoint has too few or too many lines");
  require_(lines.every((line) => line !== ""), "checkpoint has an empty line");
  const [origin, size, root] = lines;
  const head = { origin, size: parseNumber(size, "tree size"), root: parseHash(root) };
  if (origin !== logKey.name) throw new Refused("ORIGIN_MISMATCH");
  return head;
}

// RFC 9162 2.1.3.2.

function verifyInclusion(entry, index, proof, head) {
  if (index >= head.size) throw new Refused("INDEX_OUTSIDE_TREE");
  let [node, last] = [index, head.size - 1n];
  let root = sha256(Buffer.of(0), entry);
  for (const sibling of proof) {
    if (last === 0n) throw new Refused("INCLUSION_INVALID");
    if ((node & 1n) === 1n || node === last) {
      root = sha256(Buffer.of(1), sibling, root);
      while (node !== 0n && (node & 1n) === 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      root = sha256(Buffer.of(1), root, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last !== 0n || !root.equals(head.root)) throw new Refused("INCLUSION_INVALID");
}

// Receipt, entry, commitments.

function requireMembers(value, names, what) {
  const exact = value instanceof Map && value.size === names.length;
  require_(exact && names.every((name) => value.has(name)), `${what} has other members`);
  return names.map((name) => value.get(name));
}

function requireList(value, limit, what) {
  require_(Array.isArray(value) && value.length <= limit, `${what} is not a list in bounds`);
  return value;
}

function parseOpening(value) {
  const [member, salt, opened] = requireMembers(value, ["member", "salt", "value"], "opening");
  require_(typeof member === "string" && /^[a-z][a-z0-9_]{0,31}$/.test(member), "member name");
  const opening = { member, salt: parseHash(salt), value: parseBase64(opened, "value") };
  require_(opening.value.length <= MAX_OPENED_BYTES, "opened value is too large");
  return opening;
}

function parseReceipt(raw) {
  const names = ["checkpoint", "entry", "inclusion_proof", "index", "openings"];
  const value = parseJson(parseUtf8(raw, MAX_RECEIPT_BYTES, "receipt"), "receipt");
  const [checkpoint, entry, proof, index, openings] = requireMembers(value, names, "receipt");
  require_(typeof checkpoint === "string", "checkpoint is not text");
  require_(!/\p{Surrogate}/u.test(checkpoint), "checkpoint is not text");
  require_(Number.isSafeInteger(index) && index >= 0, "index is not a number");
  const receipt = {
    checkpoint: Buffer.from(checkpoint),
    entry: parseBase64(entry, "entry"),
    proof: requireList(proof, MAX_PROOF_HASHES, "inclusion proof").map(parseHash),
    index: BigInt(index),
    openings: requireList(openings, MAX_OPENINGS, "openings").map(parseOpening),
  };
  require_(receipt.entry.length <= MAX_ENTRY_BYTES, "entry is too large");
  const members = new Set(receipt.openings.map(({ member }) => member));
  require_(members.size === receipt.openings.length, "a member is opened twice");
  return receipt;
}

function parseEntry(raw) {
  try {
    const text = parseUtf8(raw, MAX_ENTRY_BYTES, "entry");
    const entry = parseJson(text, "entry");
    require_(entry instanceof Map && encodeCanonical(entry) === text, "entry is not canonical");
    const [kind, ts, node] = ["kind", "ts", "node"].map((name) => entry.get(name));
    const item = entry.has("item") ? entry.get("item") : 0;
    require_(entry.get("v") === 1, "entry version");
    require_(typeof kind === "string" && kind !== "" && [...kind].length <= 32, "entry kind");
    require_(Number.isInteger(ts) && ts >= 0, "entry time");
    require_(typeof node === "string" && node !== "", "entry node");
    require_(Number.isInteger(item) && item >= 0 && item < 2 ** 32, "entry item");
    for (const [name, length] of [["tx", 16], ["request", 32]]) {
      if ((entry.get(name) ?? null) !== null) parseHex(entry.get(name), length, name);
    }
    return entry;
  } catch (error) {
    if (error instanceof Malformed) throw new Refused("ENTRY_MALFORMED");
    throw error;
  }
}

function requireOpened(entry, { member, salt, value }, mismatch) {
  const committed = entry.get(member);
  if (committed === undefined || committed === null) throw new Refused("COMMITMENT_ABSENT");
  if (typeof committed !== "string" || !/^[0-9a-f]{64}$/.test(committed)) {
    throw new Refused("ENTRY_MALFORMED");
  }
  const made = sha256(`hutong/commitment/${member}/v1`, Buffer.of(0), salt, value);
  if (made.toString("hex") !== committed) throw new Refused(mismatch);
}

function requireBound(entry, member, salt, value) {
  if (salt === undefined) throw new Refused("SALT_ABSENT");
  requireOpened(entry, { member, salt, value }, `${member.toUpperCase()}_MISMATCH`);
}

function verifyReceipt(receipt, logKey, { request, salt, answer }) {
  const head = verifyCheckpoint(receipt.checkpoint, logKey);
  verifyInclusion(receipt.entry, receipt.index, receipt.proof, head);
  const entry = parseEntry(receipt.entry);
  const salts = new Map(receipt.openings.map((opening) => [opening.member, opening.salt]));
  if (salt !== undefined) {
    const stated = salts.get("request") ?? salt;
    if (!stated.equals(salt)) throw new Refused("REQUEST_MISMATCH");
    salts.set("request", salt);
  }
  if (request !== undefined) requireBound(entry, "request", salts.get("request"), request);
  if (answer !== undefined) requireBound(entry, "answer", salts.get("answer"), answer);
  // The holder has the bytes of request and answer himself; there the value is empty.
  const withHolder = ({ member, value }) =>
    (member === "request" || member === "answer") && value.length === 0;
  const opened = receipt.openings.filter((opening) => !withHolder(opening));
  for (const opening of opened) requireOpened(entry, opening, "OPENING_MISMATCH");
  return {
    outcome: "PROVEN",
    origin: head.origin,
    size: Number(head.size),
    root_hash: head.root.toString("hex"),
    index: Number(receipt.index),
    kind: entry.get("kind"),
    ts: entry.get("ts"),
    request_bound: request !== undefined,
    answer_bound: answer !== undefined,
    opened: opened.map(({ member }) => member),
  };
}

// Command.

function parseArguments(words) {
  const options = {};
  const named = { "--log-key": "logKey", "--request": "request", "--salt": "salt", "--answer": "answer" };
  for (let i = 0; i < words.length; i += 1) {
    if (words[i] === "--json") options.json = true;
    else if (words[i] in named && i + 1 < words.length) options[named[words[i]]] = words[(i += 1)];
    else if (!words[i].startsWith("-") && options.receipt === undefined) options.receipt = words[i];
    else return null;
  }
  return options.receipt !== undefined && options.logKey !== undefined ? options : null;
}

function load(path) {
  try {
    return readFileSync(path);
  } catch {
    throw new Malformed("a file cannot be read");
  }
}

function judge(options) {
  const given = (name) => (options[name] === undefined ? undefined : load(options[name]));
  try {
    const salt = options.salt === undefined ? undefined : parseHex(options.salt, 32, "salt");
    const logKey = parseLogKey(options.logKey);
    const receipt = parseReceipt(load(options.receipt));
    return verifyReceipt(receipt, logKey, { request: given("request"), salt, answer: given("answer") });
  } catch (error) {
    if (error instanceof Malformed) return { outcome: "UNREADABLE", detail: error.message };
    if (!(error instanceof Refused)) throw error;
    const outcome = CANNOT_TELL.has(error.reason) ? "CANNOT_TELL" : "TAMPERED";
    return { outcome, reason: error.reason };
  }
}

function main(words) {
  const options = parseArguments(words);
  if (options === null) {
    process.stderr.write("usage: node verify.mjs RECEIPT --log-key KEY [--request FILE] [--salt HEX] [--answer FILE] [--json]\n");
    return 64;
  }
  const told = judge(options);
  if (options.json) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else for (const [name, value] of Object.entries(told)) process.stdout.write(`${name}: ${value}\n`);
  return OUTCOMES[told.outcome];
}

process.exitCode = main(process.argv.slice(2));
