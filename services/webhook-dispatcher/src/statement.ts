// A statement that each connection has PostgreSQL parse and plan once, for the few that run all the time: planning one that
// writes three partitioned tables costs more than running it. TypeORM has no names for statements, so this goes to pg.
import type pg from 'pg';
import type { EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

export class Statement<Row extends object> {
  /** @param name its own within the service; the same text must always have the same */
  constructor(
    private readonly name: string,
    readonly text: string,
  ) {}

  /** Inside the transaction of `tx`, if it has one. */
  async run(tx: EntityManager, values: unknown[]): Promise<Row[]> {
    const connection = (await tx.queryRunner?.connect()) as pg.ClientBase | undefined;
    const pool = (tx.connection.driver as PostgresDriver).master as pg.Pool;
    const { rows } = await (connection ?? pool).query<Row>({ name: this.name, text: this.text, values });
    return rows;
  }
}
