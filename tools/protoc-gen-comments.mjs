// A plugin of buf: writes the comments of messages and fields into one TypeScript file, since the generated descriptors don't
// carry them. The public API's schemas are described by them, so that a field is explained in one place: its contract.
import { createEcmaScriptPlugin, getComments, runNodeJs } from '@bufbuild/protoplugin';

runNodeJs(
  createEcmaScriptPlugin({
    name: 'protoc-gen-comments',
    version: 'v1',
    generateTs: (schema) => {
      const file = schema.generateFile('comments.ts');
      file.print('// Generated from proto/ by tools/protoc-gen-comments.mjs; do not edit.');
      file.print('export const comments: Readonly<Record<string, string>> = {');
      for (const [name, comment] of schema.files.flatMap((proto) => proto.messages).flatMap(commentsOf)) {
        file.print('  ', JSON.stringify(name), ': ', JSON.stringify(comment), ',');
      }
      file.print('};');
    },
  }),
);

/** Of a message and its fields, by their full names: `keys.v1.Key`, `keys.v1.Key.status`. */
function commentsOf(message) {
  const described = [[message.typeName, message], ...message.fields.map((field) => [`${message.typeName}.${field.name}`, field])];
  return described.map(([name, desc]) => [name, sentence(getComments(desc).leading)]).filter(([, comment]) => comment);
}

function sentence(comment = '') {
  return comment.split('\n').map((line) => line.trim()).join(' ').trim();
}
