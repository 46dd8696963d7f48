// Row-level security: a transaction sees the rows of the workspace it names, and no others. The outbox has no workspace but in the
// messages themselves: it is read by the relay alone, for all.
import { disableRowSecurity, enableRowSecurity } from '@na/service-host';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = ['pages', 'goals', 'hits', 'conversions'];

export class SecureRows1797100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await enableRowSecurity(runner, tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await disableRowSecurity(runner, tables);
  }
}
