// node-postgres and its cursor: a line a step, its name, a tab, and what came of it. See transcript.py.
const path = require("path");
const modules = process.env.VOXHOUSE_NODE_MODULES;
if (!modules) {
  console.error("node-postgres is missing: run ./test, or set VOXHOUSE_NODE_MODULES to a folder that has pg and pg-cursor");
  process.exit(1);
}
const { Client, Pool } = require(path.join(modules, "pg"));
const Cursor = require(path.join(modules, "pg-cursor"));

const SETUP = [
  "DROP TABLE IF EXISTS kinds",
  `CREATE TABLE kinds (id bigint, ok boolean, small smallint, n integer, r real, f double precision,
     amount numeric(18,2), t text, v varchar(20), b bytea, day date, at timestamp, instant timestamptz, u uuid,
     words text[], numbers bigint[])`,
  `INSERT INTO kinds VALUES (1099511627776, true, -7, 42, 1.5, 0.1, 12345.60, 'it''s \\ 好评', 'short', '\\x00ff5c',
     '2026-01-31', '2026-01-31 08:30:00.5', '2026-02-28 23:59:59.123456+00',
     '123e4567-e89b-12d3-a456-426614174000', ARRAY['a',NULL,'b c'], ARRAY[1,-2]::bigint[])`,
  "INSERT INTO kinds (id) VALUES (2)",
  "DROP TABLE IF EXISTS many",
  "CREATE TABLE many (id bigint, name varchar(20), price numeric(10,2), day date)",
  "INSERT INTO many SELECT i, 'name ' || i, 0.25 * i, DATE '2026-01-01' FROM generate_series(1, 2500) AS g(i)",
  "DROP TABLE IF EXISTS written",
  "CREATE TABLE written (id integer, name text, amount numeric(18,2))",
];

const fields = (result) =>
  result.fields.map((one) => [one.name, one.columnID, one.dataTypeID, one.dataTypeSize, one.dataTypeModifier, one.format]);

const steps = {
  async set_up(client) {
    for (const sql of SETUP) await client.query(sql);
  },
  async all_types(client) {
    const result = await client.query("SELECT * FROM kinds ORDER BY id");
    return [fields(result), result.rows, result.command, result.rowCount];
  },
  async all_types_with_parameters(client) {
    const result = await client.query("SELECT * FROM kinds WHERE id > $1 ORDER BY id", [0]);
    return [fields(result), result.rows];
  },
  async rows_as_arrays(client) {
    return (await client.query({ text: "SELECT id, name FROM many WHERE id < $1", values: [3], rowMode: "array" })).rows;
  },
  async parameters(client) {
    const found = [];
    for (const [sql, values] of [
      ["SELECT $1::int AS v", [7]], ["SELECT $1::text AS v", ["x"]], ["SELECT $1::numeric AS v", ["1.50"]],
      ["SELECT $1::timestamptz AS v", [new Date(Date.UTC(2026, 1, 3))]], ["SELECT $1::json AS v", [{ a: [1, null] }]],
      ["SELECT $1::text[] AS v", [["a", null, "b c"]]], ["SELECT $1::bytea AS v", [Buffer.from([0, 255])]],
      ["SELECT $1::uuid AS v", ["123E4567-E89B-12D3-A456-426614174000"]], ["SELECT $1::boolean AS v", [true]],
      ["SELECT count(*) AS v FROM many WHERE id = ANY($1)", [[1, 2, 9999]]],
      ["SELECT name AS v FROM many WHERE price = $1", ["2.50"]],
      ["SELECT count(*) AS v FROM many WHERE day = $1", ["2026-01-01"]],
      ["SELECT name AS v FROM many ORDER BY id LIMIT $1 OFFSET $2", [1, 3]],
    ]) found.push((await client.query(sql, values)).rows[0].v);
    return found;
  },
  async a_named_statement_ten_times(client) {
    const found = [];
    for (let id = 1; id <= 10; id++) {
      const result = await client.query({ name: "by-id", text: "SELECT name, price FROM many WHERE id = $1", values: [id] });
      found.push(result.rows[0]);
    }
    return found;
  },
  async writes(client) {
    const inserted = await client.query("INSERT INTO written VALUES ($1, $2, $3), ($4, $5, $6)",
      [1, "it's 好评", "1.50", 2, null, null]);
    const updated = await client.query("UPDATE written SET name = $1 WHERE id > $2", ["changed", 1]);
    const found = (await client.query("SELECT * FROM written ORDER BY id")).rows;
    const deleted = await client.query("DELETE FROM written");
    return [inserted.command, inserted.rowCount, updated.rowCount, deleted.rowCount, found];
  },
  async a_cursor(client) {
    const cursor = client.query(new Cursor("SELECT id FROM many WHERE id > $1 ORDER BY id", [10]));
    let count = 0;
    const sizes = [];
    for (;;) {
      const rows = await cursor.read(700);
      sizes.push(rows.length);
      if (!rows.length) break;
      count += rows.length;
    }
    await cursor.close();
    return [count, sizes, (await client.query("SELECT 1 AS after")).rows];
  },
  async a_cursor_that_is_closed_early(client) {
    const cursor = client.query(new Cursor("SELECT i FROM generate_series(1, 1000000) AS g(i)"));
    const first = await cursor.read(3);
    await cursor.close();
    return [first.length, (await client.query("SELECT 1 AS after")).rows];
  },
  async a_cursor_with_an_error(client) {
    const cursor = client.query(new Cursor("SELECT 1 / (id - 5) AS q FROM many WHERE id <= 5 ORDER BY id"));
    try {
      await cursor.read(100);
      return "no error";
    } catch (error) {
      return [error.code, (await client.query("SELECT 1 AS after")).rows];
    }
  },
  async a_transaction(client) {
    const found = [];
    for (const sql of ["BEGIN", "SELECT 1", "SELECT * FROM absent", "SELECT 1", "ROLLBACK", "SELECT 1"]) {
      try {
        found.push((await client.query(sql)).command);
      } catch (error) {
        found.push(error.code);
      }
    }
    return found;
  },
  async errors(client) {
    const found = [];
    for (const sql of ["SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1 / 0", "SELECT 'x'::int"]) {
      try {
        await client.query(sql);
      } catch (error) {
        found.push([sql, error.code, error.severity, error.position]);
      }
    }
    return found;
  },
  async several_statements(client) {
    const results = await client.query("SELECT 1 AS one; SELECT 'two' AS two");
    return results.map((result) => result.rows);
  },
  async an_empty_query(client) {
    return (await client.query("")).rows;
  },
  async queries_in_a_row(client) {
    const results = await Promise.all([1, 2, 3].map((n) => client.query("SELECT $1::int * 2 AS d", [n])));
    return results.map((result) => result.rows[0].d);
  },
  async a_pool(_client) {
    const pool = new Pool({ max: 3 });
    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query("SELECT $1::int AS n", [n])));
    await pool.end();
    return results.map((result) => result.rows[0].n);
  },
};

async function main() {
  for (const [name, work] of Object.entries(steps)) {
    const client = new Client({ connectionTimeoutMillis: 20000 });
    let said;
    try {
      await client.connect();
      said = JSON.stringify(await work(client));
    } catch (error) {
      said = error.code ? `${error.name} ${error.code}` : `${error.name}: ${error.message}`;
    }
    await client.end().catch(() => {});
    console.log(`${name}\t${said}`);
  }
}

main();
