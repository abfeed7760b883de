// One signed question to a Hutong gateway and one proven answer, from the .proto files alone.
//
//   node client.mjs IDENTITY_DIRECTORY QUESTION_FILE [PROTO_DIRECTORY]
//
// The question stands in a file, because arguments of a process can be read by others (docs/clients/node.md).
// Nothing is printed before all of it is proven: envelope, header, receipt, record. Exit: 0 answered, 1 refused,
// 2 cannot be told, 3 not proven or no answer.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { Unproven, b64url, demand, encode, isEdwards, keyidOf, loadMessages, pae, parse, same, sha256, sign, verify } from "./wire.mjs";

const METHOD = "/hutong.exchange.v1.ExchangeService/Exchange";
const PAYLOAD = "application/vnd.hutong.exchange.v1";
const LIFE_MS = 120_000; // at most 300,000 (envelope.proto, RequestHeader.expire_time)
const LEEWAY_S = 30;
const MAX_MESSAGE = 98_304; // one payload of 65,536 bytes and its wrapping
const [directory, questionFile, protoArgument] = process.argv.slice(2);
const MESSAGE = loadMessages(protoArgument ?? fileURLToPath(new URL("../../../proto", import.meta.url)));
// Refusals one may believe without a receipt, because nothing was or could be logged (docs/clients/reasons.md).
const WITHOUT_RECEIPT = new Set(["MESSAGE_MISSING", "MESSAGE_TOO_LARGE", "GATEWAY_BUSY", "CHANNEL_REFUSED", "RATE_LIMITED",
  "TRUST_UNAVAILABLE", "LOG_UNAVAILABLE", "CLOCK_BACKWARDS", "DEADLINE_EXCEEDED", "INTERNAL"]);

// --- Identity: who we are and whom we believe (docs/clients/identity.md).
const read = (name) => fs.readFileSync(path.join(directory, name));
const passphrase = (source) =>
  (source.startsWith("fd:") ? fs.readFileSync(Number(source.slice(3))) : read(source)).toString("utf8").replace(/\n$/, "");
const privateKey = (files) => crypto.createPrivateKey({ key: read(files.key), passphrase: passphrase(files.passphrase) });

/** Returns the public key pinned under a key id, within the dates of its certificate. */
function pinnedKey(pins, keyid) {
  const pin = pins.find((each) => each.keyid === keyid);
  demand(pin, "no pinned key has this key id");
  const certificate = new crypto.X509Certificate(read(pin.certificate));
  demand(keyidOf(certificate.publicKey) === keyid, "a pinned certificate is of another key");
  const now = Date.now();
  demand(Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo), "a pinned key is not current");
  return certificate.publicKey;
}

// --- The officer's assertion, where the identity holds an officer key (sandboxes only).
const prefixed = (text) => { const b = Buffer.from(text); return Buffer.concat([Buffer.from([b.length >> 8, b.length & 255]), b]); };
const subjectDigest = (requestId, subject) =>
  sha256("hutong/subject/v1\0", requestId, prefixed(subject.type.replace("SUBJECT_TYPE_", "")), prefixed(subject.identifier));

/** Signs who asks which question for which case; bound to this request, this channel and this subject. */
function issueAssertion(identity, question, requestId, nowMs) {
  if (!question.staff) return "";
  const key = privateKey(identity.officer);
  const leaf = new crypto.X509Certificate(read(identity.tls.certificate)).raw;
  const iat = Math.floor(nowMs / 1000);
  const header = { alg: isEdwards(key) ? "EdDSA" : "ES256", kid: keyidOf(crypto.createPublicKey(key)), typ: "hutong-officer+jwt" };
  const claims = {
    iss: identity.system_id.split("/")[0], sub: question.staff.token, aud: identity.gateway.system_id,
    jti: requestId.toString("hex"), iat, nbf: iat, exp: iat + LIFE_MS / 1000, cnf: { "x5t#S256": b64url(sha256(leaf)) },
    authorization_details: [{
      type: "hutong_exchange", agreement: question.agreement, dataset: question.dataset, matter: question.matter,
      case: question.case_number, fields: question.fields, subject_digest: b64url(subjectDigest(requestId, question.subject)),
    }],
    staff: question.staff,
  };
  const input = `${b64url(JSON.stringify(header))}.${b64url(JSON.stringify(claims))}`;
  return `${input}.${b64url(sign(key, Buffer.from(input)))}`;
}

/** Signs the question: header, purpose, subject, query, in one envelope with one signature. */
function buildRequest(identity, question) {
  const nowMs = Date.now();
  const requestId = crypto.randomBytes(16);
  const salt = crypto.randomBytes(32);
  const timestamp = (ms) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 });
  const payload = encode(MESSAGE.statement, {
    header: {
      requestId, sender: identity.system_id, receiver: identity.gateway.system_id, method: METHOD,
      issueTime: timestamp(nowMs), expireTime: timestamp(nowMs + LIFE_MS), commitmentSalt: salt,
    },
    purpose: {
      matter: question.matter, legalBasis: question.legal_basis, caseNumber: question.case_number,
      officerAssertion: issueAssertion(identity, question, requestId, nowMs),
    },
    subject: question.subject,
    query: { agreement: question.agreement, dataset: question.dataset, fields: question.fields, claims: question.claims },
  });
  const key = privateKey(identity.envelope);
  const payloadType = `${PAYLOAD}.ExchangeStatement+protobuf`;
  const signature = { value: sign(key, pae(payloadType, payload)), keyid: keyidOf(crypto.createPublicKey(key)) };
  const message = encode(MESSAGE.request, { envelope: { payload, payloadType, signatures: [signature] } });
  return { requestId, salt, payload, message };
}

/** Sends raw bytes over mutual TLS; a refusal comes back as a status with details. */
function send(identity, message) {
  const tls = privateKey(identity.tls).export({ type: "pkcs8", format: "pem" });
  const credentials = grpc.credentials.createSsl(read(identity.tls_authority), Buffer.from(tls), read(identity.tls.certificate));
  const options = { "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.enable_retries": 0, "grpc.enable_http_proxy": 0 };
  const name = identity.gateway.tls_server_name;
  if (name !== null) options["grpc.ssl_target_name_override"] = name; // loopback only: see identity.md
  const client = new grpc.Client(identity.gateway.address, credentials, options);
  const raw = (value) => value;
  return new Promise((resolve, reject) => {
    const done = (error, response) => { client.close(); error ? reject(error) : resolve(response); };
    client.makeUnaryRequest(METHOD, raw, raw, message, new grpc.Metadata(), { deadline: Date.now() + 20_000 }, done);
  });
}

/** Returns the payload that a pinned, current key of the gateway signed. */
function verifyEnvelope(identity, envelope, payloadType) {
  demand(envelope && envelope.signatures.length === 1, "exactly one signature");
  const [signature] = envelope.signatures;
  const key = pinnedKey(identity.gateway.envelope_keys, signature.keyid);
  const payload = Buffer.from(envelope.payload);
  demand(verify(key, pae(envelope.payloadType, payload), signature.value), "signature of the gateway");
  demand(envelope.payloadType === payloadType, "payload type");
  return payload;
}

function requireHeader(identity, request, header) {
  demand(same(header.requestId, request.requestId), "answer to another request");
  demand(same(header.requestDigest, sha256(request.payload)), "answer to other bytes");
  demand(header.sender === identity.gateway.system_id && header.receiver === identity.system_id, "sender or receiver");
  demand((header.item ?? 0) === 0, "item");
}

/** C2SP checkpoint: the log's key must have signed origin, size and root (docs/clients/node.md). */
function verifyCheckpoint(vkey, note) {
  const [name, id, encoded] = [vkey.split("+", 1)[0], vkey.split("+")[1], vkey.split("+").slice(2).join("+")];
  const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
  const key = Buffer.from(encoded, "base64").subarray(1); // the first byte names the type: 1 is Ed25519
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  const publicKey = crypto.createPublicKey({ key: spki, format: "der", type: "spki" });
  const proven = note.slice(text.length + 1).split("\n").some((line) => {
    const [dash, signer, value] = line.split(" ");
    const bytes = Buffer.from(value ?? "", "base64");
    return dash === "\u2014" && signer === name && bytes.subarray(0, 4).toString("hex") === id && verify(publicKey, Buffer.from(text), bytes.subarray(4));
  });
  const [origin, size, rootHash] = text.split("\n");
  demand(proven && origin === name && /^[1-9][0-9]{0,15}$/.test(size), "checkpoint is not of the log");
  return { size: BigInt(size), root: Buffer.from(rootHash, "base64") };
}

/** RFC 9162 2.1.3.2: the leaf stands at this index of the signed tree. */
function verifyInclusion(leaf, index, proof, head) {
  demand(index < head.size, "index outside of the tree");
  let [node, last, hash] = [index, head.size - 1n, leaf];
  for (const sibling of proof) {
    demand(last > 0n, "inclusion proof too long");
    if (node & 1n || node === last) {
      hash = sha256([1], sibling, hash);
      while (!(node & 1n) && node !== 0n) { node >>= 1n; last >>= 1n; }
    } else hash = sha256([1], hash, sibling);
    node >>= 1n;
    last >>= 1n;
  }
  demand(last === 0n && same(hash, head.root), "inclusion proof");
}

const commitment = (member, salt, value) => sha256(`hutong/commitment/${member}/v1\0`, salt, value).toString("hex");

/** The access log holds this request, and this very body where one is committed to. */
function verifyReceipt(identity, request, receipt, kind, body) {
  demand(receipt, "no receipt");
  const entryBytes = Buffer.from(receipt.entry);
  const head = verifyCheckpoint(identity.gateway.log_key, Buffer.from(receipt.checkpoint).toString("utf8"));
  verifyInclusion(sha256([0], entryBytes), BigInt((receipt.index ?? 0).toString()), receipt.inclusionProof, head);
  const entry = JSON.parse(entryBytes.toString("utf8"));
  // RFC 8785: names sorted, no space; our entries hold no nested objects and no fractions.
  demand(entry.v === 1 && JSON.stringify(entry, Object.keys(entry).sort()) === entryBytes.toString("utf8"), "entry is not canonical");
  demand(entry.kind === kind && entry.tx === request.requestId.toString("hex") && (entry.item ?? 0) === 0, "entry of another exchange");
  demand(entry.request === commitment("request", request.salt, request.payload), "entry does not commit to the request");
  const known = { request: { salt: request.salt, value: request.payload }, answer: { value: body ?? "" } };
  for (const { member, salt, value } of receipt.openings) {
    demand(same(known[member]?.salt ?? salt, salt), "another salt of the request than ours");
    demand(entry[member] === commitment(member, salt, known[member]?.value ?? value), "an opening that does not open");
  }
  demand(!body || receipt.openings.some((each) => each.member === "answer"), "entry does not commit to the answer");
  return { index: receipt.index.toString(), size: head.size.toString(), entry };
}

/** SD-JWT (RFC 9901): the source department signed each disclosure, for us, for this request and subject. */
function verifyRecord(identity, request, question, body) {
  const parts = body.record.split("~");
  demand(parts.pop() === "", "record ends with a tilde");
  const [jwt, ...disclosures] = parts;
  const [header, claims] = jwt.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
  const signer = identity.record_signers.find((each) => each.provider === body.provider);
  const key = pinnedKey(signer?.keys ?? [], header.kid);
  demand(header.typ === "hutong-record+sd-jwt" && header.alg === (isEdwards(key) ? "EdDSA" : "ES256") && !("crit" in header), "header of the record");
  const dot = jwt.lastIndexOf(".");
  demand(verify(key, Buffer.from(jwt.slice(0, dot)), Buffer.from(jwt.slice(dot + 1), "base64url")), "signature of the record");
  const now = Date.now() / 1000;
  demand(claims.iss === body.provider && claims.aud === identity.system_id && claims.vct === question.dataset, "issuer, audience or dataset");
  demand(claims.nonce === request.requestId.toString("hex"), "record of another request");
  demand(claims.sub_digest === b64url(subjectDigest(request.requestId, question.subject)), "record of another subject");
  demand(claims.iat <= now + LEEWAY_S && now < claims.exp + LEEWAY_S && claims.exp - claims.iat <= 300, "record not current");
  const told = new Map();
  for (const text of disclosures) {
    demand(claims._sd_alg === "sha-256" && claims._sd.includes(b64url(sha256(text))), "a disclosure nobody signed");
    const [, name, value] = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    demand(!told.has(name) && !["_sd", "..."].includes(name), "a name twice, or reserved");
    told.set(name, value);
  }
  return { told, state: claims.answer_state };
}

// What each finding counts as; "could not be told" is an outcome of its own and never a no.
const FINDINGS = { YES: "FINDING", NO: "FINDING", NOT_APPLICABLE: "FINDING", INDETERMINATE: "INDETERMINATE", ERROR: "INDETERMINATE" };

/** Joins each field asked with its disclosure; nothing more may be disclosed, and nothing may be missing. */
function matchFields(question, body, told) {
  demand(same(body.fields.map((each) => each.field).join(), question.fields.join()), "fields answered are not those asked");
  const rows = body.fields.map((answer) => {
    const outcome = MESSAGE.nameOf("FieldOutcome", "FIELD_OUTCOME_", answer.outcome);
    const effect = MESSAGE.nameOf("Effect", "EFFECT_", answer.effect);
    const disclosure = told.get(answer.field);
    told.delete(answer.field);
    demand(!answer.derived, "a value the gateway derived itself: this client takes none");
    demand((effect === "WITHHOLD") === (outcome === "WITHHELD"), "withheld under another effect, or a value under it");
    if (!disclosure) {
      demand(outcome !== "VALUE" && outcome !== "FINDING", "a value without disclosure");
    } else {
      const due = "value" in disclosure ? "VALUE" : FINDINGS[disclosure.finding];
      demand(due === outcome && disclosure.effect.split("(")[0] === effect, "another outcome or effect than answered");
    }
    return { field: answer.field, outcome, effect: answer.effectText, value: disclosure?.value, finding: disclosure?.finding };
  });
  demand(told.size === 0, "a disclosure of a field that was not granted");
  return rows;
}

/** Reads the refusal out of a status, as far as it is proven; a status without one is a fault, not a refusal. */
function readRefusal(identity, request, error) {
  const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!details) return null;
  const found = Object.fromEntries(MESSAGE.status.decode(details).details.map((each) => [each.typeUrl.split("/")[1], each.value]));
  if (!found["google.rpc.ErrorInfo"]) return null;
  const { reason } = MESSAGE.errorInfo.decode(found["google.rpc.ErrorInfo"]);
  const signed = found["hutong.envelope.v1.SignedEnvelope"];
  demand(signed || WITHOUT_RECEIPT.has(reason), "a refusal nobody signed");
  if (!signed) return { reason, signed: false };
  const refusal = parse(MESSAGE.refusal, verifyEnvelope(identity, parse(MESSAGE.envelope, signed), `${PAYLOAD}.Refusal+protobuf`));
  const body = parse(MESSAGE.refusalBody, refusal.body);
  demand(body.reason === reason, "another reason signed than told");
  // Refused before the request id was read, a refusal names none: it tells why, and proves no tie to this request.
  const bound = body.header.requestId.length > 0;
  demand(body.header.sender === identity.gateway.system_id && body.header.receiver === identity.system_id, "sender or receiver");
  if (bound) requireHeader(identity, request, body.header);
  demand(refusal.receipt || WITHOUT_RECEIPT.has(reason), "a refusal without receipt");
  const receipt = bound && refusal.receipt ? verifyReceipt(identity, request, refusal.receipt, "refuse", null) : null;
  demand(!receipt || receipt.entry.reason === reason, "another reason in the log");
  return { reason, side: body.side, zh: body.messageZh, en: body.messageEn, signed: true, logged: receipt?.index ?? null };
}

/** Returns the state after holding it against its reason and the record; three states, never to be mixed. */
function requireState(body, recordState) {
  const state = MESSAGE.nameOf("AnswerState", "ANSWER_STATE_", body.state);
  demand((state === "INDETERMINATE") === (body.indeterminateReason !== 0), "state and reason");
  demand(state !== "ANSWERED" || body.record, "no record");
  demand(state !== "INDETERMINATE" || !body.record, "a record of what cannot be told");
  // NOT_TOLD: the agreement keeps back whether a record exists, and both cases are answered alike.
  const signed = { ANSWERED: ["FOUND", "NOT_TOLD"], NOT_FOUND: ["NOT_FOUND"], INDETERMINATE: [null] };
  demand(signed[state].includes(recordState), "another state than the department signed");
  return state;
}

async function main() {
  const identity = JSON.parse(read("identity.json").toString("utf8"));
  demand(identity.format === "hutong-identity/1", "format of identity.json");
  const question = JSON.parse(fs.readFileSync(questionFile, "utf8"));
  const request = buildRequest(identity, question);
  let response;
  try {
    response = await send(identity, request.message);
  } catch (error) {
    const refusal = readRefusal(identity, request, error);
    console.log(JSON.stringify(refusal ? { refused: refusal } : { fault: grpc.status[error.code] ?? "UNKNOWN" }));
    return refusal ? 1 : 3;
  }
  const answer = parse(MESSAGE.answer, verifyEnvelope(identity, parse(MESSAGE.response, response).answer, `${PAYLOAD}.Answer+protobuf`));
  demand(!answer.padding.some((octet) => octet), "padding that carries something");
  demand(answer.bodyType === "hutong.exchange.v1.AnswerBody", "type of the body");
  const body = parse(MESSAGE.body, answer.body);
  requireHeader(identity, request, body.header);
  const receipt = verifyReceipt(identity, request, answer.receipt, "answer", answer.body);
  demand(body.agreement === question.agreement && body.dataset === question.dataset, "agreement or dataset");
  const record = body.record ? verifyRecord(identity, request, question, body) : { told: new Map(), state: null };
  const state = requireState(body, record.state);
  const fields = matchFields(question, body, record.told);
  console.log(JSON.stringify({ state, provider: body.provider, fields, receipt: { index: receipt.index, size: receipt.size } }, null, 2));
  return state === "INDETERMINATE" ? 2 : 0;
}

main().then((code) => { process.exitCode = code; }, (error) => {
  // Texts of others may hold anything: only our own are shown.
  console.error(error instanceof Unproven ? `not proven: ${error.message}` : `failed: ${error.name}`);
  process.exitCode = 3;
});
