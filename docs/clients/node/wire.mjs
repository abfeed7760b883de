// Bytes: messages in their one spelling, hashes, signatures. Knows no identity and no meaning.
import crypto from "node:crypto";
import path from "node:path";
import protobuf from "protobufjs";

export class Unproven extends Error {}
export const demand = (holds, what) => { if (!holds) throw new Unproven(what); };
export const sha256 = (...parts) =>
  crypto.createHash("sha256").update(Buffer.concat(parts.map((each) => Buffer.from(each)))).digest();
export const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
export const b64url = (value) => Buffer.from(value).toString("base64url");
// The id of a key: the first 16 bytes of SHA-256 over its SubjectPublicKeyInfo (envelope.proto, Signature.keyid).
export const keyidOf = (key) => sha256(key.export({ type: "spki", format: "der" })).toString("hex").slice(0, 32);

// The suite follows from the key: P-256 is ES256, Ed25519 is EdDSA; a message never names it.
// Signatures have a fixed 64 bytes, so ECDSA is r and s side by side (ieee-p1363), not DER.
export const isEdwards = (key) => key.asymmetricKeyType === "ed25519";
export const sign = (key, bytes) => crypto.sign(isEdwards(key) ? null : "sha256", bytes, { key, dsaEncoding: "ieee-p1363" });
export const verify = (key, bytes, signature) =>
  signature.length === 64 && crypto.verify(isEdwards(key) ? null : "sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
// DSSE 1.0.2, "Signature Definition": lengths are counted in bytes.
export const pae = (type, payload) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);

// --- Messages, read from the .proto files.
/** Loads the contract; google/protobuf/* comes with protobufjs, google.rpc.Status is small enough to stand here. */
export function loadMessages(directory) {
  const root = new protobuf.Root();
  const bundled = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) =>
    target.startsWith("hutong/") ? path.join(directory, target) : bundled(origin, target);
  root.loadSync(["hutong/exchange/v1/exchange.proto"]);
  protobuf.parse(`syntax = "proto3"; package google.rpc;
    message Detail { string type_url = 1; bytes value = 2; }
    message Status { int32 code = 1; string message = 2; repeated Detail details = 3; }
    message ErrorInfo { string reason = 1; string domain = 2; }`, root);
  const typeOf = (name) => root.lookupType(name);
  const exchange = "hutong.exchange.v1";
  return {
    statement: typeOf(`${exchange}.ExchangeStatement`), request: typeOf(`${exchange}.ExchangeRequest`),
    response: typeOf(`${exchange}.ExchangeResponse`), answer: typeOf(`${exchange}.Answer`),
    body: typeOf(`${exchange}.AnswerBody`), refusal: typeOf(`${exchange}.Refusal`),
    refusalBody: typeOf(`${exchange}.RefusalBody`), envelope: typeOf("hutong.envelope.v1.SignedEnvelope"),
    status: typeOf("google.rpc.Status"), errorInfo: typeOf("google.rpc.ErrorInfo"),
    /** The name of an enum's value without its prefix; a value that is not stated is refused. */
    nameOf(name, prefix, value) {
      const found = root.lookupEnum(`${exchange}.${name}`).valuesById[value]?.slice(prefix.length);
      demand(found !== undefined && found !== "UNSPECIFIED", `${name} is not stated`);
      return found;
    },
  };
}

/** Drops every member that holds its default, because signed protobuf never spells one out. */
function withoutDefaults(type, message) {
  const kept = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || value === null || !Object.hasOwn(message, field.name)) continue;
    const inner = field.resolve().resolvedType instanceof protobuf.Type ? field.resolvedType : null;
    if (field.repeated) {
      if (value.length) kept[field.name] = inner ? value.map((each) => withoutDefaults(inner, each)) : value;
    } else if (inner) kept[field.name] = withoutDefaults(inner, value);
    else if (value.length === undefined ? Number(value) !== 0 : value.length > 0) kept[field.name] = value;
  }
  return kept;
}

// protobufjs writes fields in ascending order of their numbers and leaves out what is not set; with the defaults
// dropped this is the one spelling a gateway accepts (docs/signing-bytes.md).
export const encode = (type, message) => {
  const written = withoutDefaults(type, type.fromObject(message));
  return Buffer.from(type.encode(type.create(written)).finish());
};

/** Reads a signed message and demands its one spelling: written again it gives the same bytes. */
export function parse(type, bytes) {
  const message = type.decode(bytes);
  const again = Buffer.from(type.encode(type.create(withoutDefaults(type, message))).finish());
  demand(same(again, bytes), `${type.name}: not in its one spelling`);
  return message;
}
