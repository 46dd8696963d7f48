import { rm } from 'node:fs/promises';

export default async function teardown() {
  await globalThis[Symbol.for('na.test.postgres')].stop();
  await rm(process.env.NA_TEST_FOLDER, { recursive: true, force: true });
}
