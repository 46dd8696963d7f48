// Row-level security: a transaction sees the rows of the workspace it names, and no others.
import { disableRowSecurity, enableRowSecurity } from '@na/service-host';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SecureRows1798100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await enableRowSecurity(runner, ['workspaces'], 'id');
    await enableRowSecurity(runner, ['keys', 'audit_log']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await disableRowSecurity(runner, ['workspaces', 'keys', 'audit_log']);
  }
}
