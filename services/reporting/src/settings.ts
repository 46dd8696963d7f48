// The settings of reporting alone; those of every service come with the host.
import { databaseSettings, wholeNumber, type Setting } from '@na/service-host';

export const settings = {
  ...databaseSettings,
  hitBatchSize: {
    description: 'Most hits stored in one transaction. Fewer make a slow database answer sooner, more make a busy one cheaper.',
    schema: wholeNumber(1, 5_000),
    default: '500',
  } satisfies Setting,
};
