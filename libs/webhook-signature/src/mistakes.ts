// The usual mistakes with signatures. A closed list.

/** Each with what to do about it. */
export const mistakes = {
  secret_without_prefix: 'The secret lacks its whsec_ prefix. Use it as it was shown when the webhook was created.',
  secret_white_space: 'The secret has white space around it, perhaps the line break at the end of a file. Trim it.',
  key_without_prefix: 'Made with the part after whsec_ as key. For X-Webhook-Signature the key is the whole secret as shown, whsec_ included.',
  key_decoded: 'Made with the base64-decoded secret as key. For X-Webhook-Signature the key is the text of the secret as shown.',
  key_not_decoded: 'Made with the text of the secret as key. For webhook-signature, remove whsec_ and decode the rest from base64.',
  key_decoded_with_prefix: 'Made with a key that was decoded together with whsec_. Remove the prefix before decoding from base64.',
  wrong_id: 'Made with another id than that of the webhook-id header: sign what the header says, not X-Webhook-Delivery or a field of the body.',
  timestamp_in_ms: 'Made with the timestamp in milliseconds on one side. webhook-timestamp is in seconds, and is signed as the text of the header.',
  signed_body_only: 'Made over the body alone. For webhook-signature, sign <webhook-id>.<webhook-timestamp>.<body>.',
  signed_id_and_timestamp: 'Made over id, timestamp and body. X-Webhook-Signature is made over the body alone.',
  body_reserialised: 'Made over the same JSON in another spelling: the body was parsed and written again. Take the raw bytes, before any JSON parser.',
  body_trailing_newline: 'Made over the same body with or without a line break at the end. Take the raw bytes, and don\'t pass them through an editor or "echo".',
  body_wrong_charset: 'Made over the same text in another character set. Take the raw bytes, or decode and encode them as UTF-8.',
  body_quoted: 'Made over what stands in this body between quotes: it was written as a JSON string, or as Python shows bytes (b\'…\'). Take the raw bytes themselves.',
  body_base64: 'Made over what this body is the base64 of: some gateways hand bodies over like that, and say so with isBase64Encoded. Decode it first.',
  body_empty: 'The body is empty, and none of ours is: something before, such as a JSON parser, had read the stream already. Take the raw bytes before it does.',
  body_object_as_text: 'The body is an object that was turned into text as it is, and not what was sent: it was parsed. Take the raw bytes, before any JSON parser.',
  hex_instead_of_base64: 'The right value in hexadecimal. webhook-signature is v1, and base64.',
  base64_instead_of_hex: 'The right value in base64. X-Webhook-Signature is sha256= and lower-case hexadecimal.',
  wrong_spelling: 'The right value in another spelling. webhook-signature is v1, and padded base64; X-Webhook-Signature is sha256= and lower-case hexadecimal.',
  id_or_timestamp_changed: 'Secret and body are right, as X-Webhook-Signature matches: webhook-id or webhook-timestamp is not as it was sent.',
  unknown_form: 'Neither base64 nor hexadecimal of 32 bytes, or of a version that is not v1; receivers skip it.',
  unexplained: 'No usual mistake explains it: it was made with another secret, or over a body that differs in more than its spelling, perhaps in the order of its fields. Take the raw bytes, before any JSON parser.',
} as const;

export type Mistake = keyof typeof mistakes;
