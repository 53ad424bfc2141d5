// Drives a client of node: node node.js CLIENT; RECORD_DSN as for the others, the packages in NODE_PATH.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { execFileSync } = require('child_process');
const { Client, Pool } = require('pg');

const place = Object.fromEntries(process.env.RECORD_DSN.split(' ').map((part) => part.split('=')));
const options = { host: place.host, port: Number(place.port), user: place.user, database: place.dbname, password: 'voxhouse' };
const url = `postgresql://${options.user}:voxhouse@${options.host}:${options.port}/${options.database}`;
const marks = new Client({ ...options, application_name: 'recorder' });
const step = (what) => marks.query(`SELECT '-- step: ${what.replaceAll("'", "''")}'`);
const tried = (what) => what.catch((error) => console.error(String(error.message ?? error)));

const clients = {
  async pg() {
    const pool = new Pool(options);
    await step('query');
    await pool.query('SELECT * FROM customers WHERE country = $1 AND score > $2', ['CN', 3]);
    await pool.query({ name: 'by id', text: 'SELECT name FROM customers WHERE customer_id = $1', values: [1] });
    await pool.query('SELECT 1; SELECT 2');
    await pool.query('SELECT count(*) FROM orders WHERE order_id = ANY($1)', [[100, 101]]);
    await step('pg-cursor');
    const Cursor = require('pg-cursor');
    const client = await pool.connect();
    const cursor = client.query(new Cursor('SELECT * FROM orders WHERE quantity > $1', [0]));
    await cursor.read(2);
    await cursor.close();
    await step('pg-query-stream');
    const QueryStream = require('pg-query-stream');
    for await (const _ of client.query(new QueryStream('SELECT * FROM customers', [], { batchSize: 2 })));
    client.release();
    await pool.end();
  },
  async postgres() {
    const sql = require('postgres')(url);
    await step('query');
    await sql`SELECT * FROM customers WHERE country = ${'CN'}`;
    await sql`SELECT tags FROM orders WHERE tags && ${['gift']}`;
    await step('cursor, transaction');
    await sql.begin(async (tx) => { for await (const _ of tx`SELECT * FROM orders`.cursor(2)); });
    await sql.end();
  },
  async knex() {
    const knex = require('knex')({ client: 'pg', connection: options });
    await step('hasTable, hasColumn, columnInfo');
    await knex.schema.hasTable('orders');
    await knex.schema.hasColumn('orders', 'amount');
    await knex('orders').columnInfo();
    await knex('notes').withSchema('crm').columnInfo();
    await step('query');
    await knex('orders').select('category').sum('amount as total').groupBy('category').orderBy('total', 'desc').limit(5);
    await knex('customers').whereIn('country', ['CN', 'FR']).first();
    await knex('customers').whereILike('name', '%e%').join('orders', 'orders.customer_id', 'customers.customer_id').countDistinct('orders.order_id');
    await step('create, insert, drop');
    await knex.schema.createTable('scratch', (table) => { table.integer('id').primary(); table.string('name'); table.timestamp('at'); table.json('more'); });
    await knex('scratch').insert([{ id: 1, name: 'a' }, { id: 2, name: 'b' }]).returning('id');
    await knex('scratch').insert({ id: 1, name: 'c' }).onConflict('id').merge();
    await tried(knex.schema.alterTable('scratch', (table) => { table.text('extra'); }));
    await knex.transaction((tx) => tx('scratch').where({ id: 1 }).del());
    await knex.schema.dropTableIfExists('scratch');
    await knex.destroy();
  },
  async typeorm() {
    require('reflect-metadata');
    const { DataSource, EntitySchema } = require('typeorm');
    const Scratch = new EntitySchema({ name: 'scratch', columns: { id: { type: Number, primary: true }, name: { type: String, nullable: true, comment: 'a name' } } });
    const source = new DataSource({ type: 'postgres', ...options, username: options.user, entities: [Scratch] });
    await source.initialize();
    await step('getTables, getViews');
    const runner = source.createQueryRunner();
    for (const call of ['getDatabases', 'getSchemas', 'getCurrentDatabase', 'getCurrentSchema', 'getTables', 'getViews']) {
      await step(call);
      await tried(runner[call]());
    }
    await step('getTable');
    await runner.getTable('orders');
    await runner.getTable('crm.notes');
    await runner.hasTable('orders');
    await runner.hasColumn('orders', 'amount');
    await step('synchronize');
    await tried(source.synchronize());
    await step('repository');
    const scratch = source.getRepository('scratch');
    await tried(scratch.save({ id: 1, name: 'a' }));
    await tried(scratch.findAndCount({ where: { name: 'a' }, take: 2 }));
    await runner.dropTable('scratch', true);
    await source.destroy();
  },
  async sequelize() {
    const { Sequelize, DataTypes } = require('sequelize');
    const sequelize = new Sequelize(url, { logging: false });
    await step('authenticate');
    await sequelize.authenticate();
    const calls = sequelize.getQueryInterface();
    await step('showAllTables, showAllSchemas, databaseVersion');
    await calls.showAllTables();
    await calls.showAllSchemas();
    await sequelize.databaseVersion();
    await step('describeTable');
    await calls.describeTable('orders');
    await calls.describeTable('notes', { schema: 'crm' });
    await step('showIndex, references, tableExists');
    await calls.showIndex('orders');
    await calls.getForeignKeyReferencesForTable('orders');
    await calls.tableExists('orders');
    await step('sync and a model');
    const Scratch = sequelize.define('scratch', { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.STRING }, { freezeTableName: true });
    await Scratch.sync();
    await Scratch.bulkCreate([{ id: 1, name: 'a' }, { id: 2, name: 'b' }]);
    await Scratch.findAndCountAll({ where: { name: 'a' }, limit: 2 });
    await Scratch.upsert({ id: 1, name: 'c' });
    await Scratch.drop();
    await sequelize.close();
  },
  async prisma() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'prisma-'));
    const schema = path.join(folder, 'schema.prisma');
    fs.writeFileSync(schema, 'datasource db {\n  provider = "postgresql"\n  schemas = ["public", "crm"]\n}\n');
    fs.writeFileSync(path.join(folder, 'prisma.config.ts'), `export default { schema: "schema.prisma", datasource: { url: "${url}" } };\n`);
    await step('db pull');
    try {
      execFileSync('npx', ['--no-install', 'prisma', 'db', 'pull', '--print', '--schema', schema, '--config', path.join(folder, 'prisma.config.ts')], { cwd: process.env.NODE_PATH + '/..', stdio: ['ignore', 'ignore', 'inherit'], timeout: 60000 });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
};

marks.connect().then(clients[process.argv[2]]).then(() => marks.end()).catch((error) => { console.error(error); process.exit(1); });
