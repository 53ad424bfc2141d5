import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc: a line a step, its name, a tab, and what came of it. See transcript.py. */
public class Jdbc {
    interface Step { Object run(Connection connection) throws Exception; }

    static final Map<String, Step> STEPS = new LinkedHashMap<>();

    static final String[] SETUP = {
        "DROP TABLE IF EXISTS kinds",
        "CREATE TABLE kinds (id bigint, ok boolean, small smallint, n integer, r real, f double precision,"
            + " amount numeric(18,2), t text, v varchar(20), b bytea, day date, at timestamp, instant timestamptz,"
            + " u uuid, words text[], numbers bigint[])",
        "INSERT INTO kinds VALUES (1099511627776, true, -7, 42, 1.5, 0.1, 12345.60, 'it''s \\ 好评', 'short',"
            + " '\\x00ff5c', '2026-01-31', '2026-01-31 08:30:00.5', '2026-02-28 23:59:59.123456+00',"
            + " '123e4567-e89b-12d3-a456-426614174000', ARRAY['a',NULL,'b c'], ARRAY[1,-2]::bigint[])",
        "INSERT INTO kinds (id) VALUES (2)",
        "DROP TABLE IF EXISTS many",
        "CREATE TABLE many (id bigint, name varchar(20), price numeric(10,2), day date)",
        "INSERT INTO many SELECT i, 'name ' || i, 0.25 * i, DATE '2026-01-01' FROM generate_series(1, 2500) AS g(i)",
        "DROP TABLE IF EXISTS written",
        "CREATE TABLE written (id integer, name text, amount numeric(18,2))",
        "DROP TABLE IF EXISTS keyed",
        "CREATE TABLE keyed (id integer PRIMARY KEY, name text NOT NULL)",
        "INSERT INTO keyed VALUES (1, 'one'), (2, 'two')",
    };

    static Connection connect(String... options) throws SQLException {
        Map<String, String> env = System.getenv();
        Properties properties = new Properties();
        properties.setProperty("user", env.get("PGUSER"));
        properties.setProperty("password", env.get("PGPASSWORD"));
        for (int at = 0; at < options.length; at += 2) properties.setProperty(options[at], options[at + 1]);
        String url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
        return DriverManager.getConnection(url, properties);
    }

    static String shown(Object value) throws SQLException {
        if (value instanceof byte[]) return Arrays.toString((byte[]) value);
        if (value instanceof java.sql.Array) return Arrays.deepToString((Object[]) ((java.sql.Array) value).getArray());
        if (value instanceof Timestamp) return ((Timestamp) value).toInstant().toString();
        return String.valueOf(value);
    }

    static List<List<String>> rows(ResultSet result) throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<String> row = new ArrayList<>();
            for (int at = 1; at <= columns; at++) row.add(shown(result.getObject(at)));
            rows.add(row);
        }
        return rows;
    }

    static List<String> described(ResultSetMetaData data) throws SQLException {
        List<String> columns = new ArrayList<>();
        for (int at = 1; at <= data.getColumnCount(); at++) {
            columns.add(String.join("/", data.getColumnLabel(at), data.getColumnName(at), data.getTableName(at),
                data.getColumnTypeName(at), data.getColumnClassName(at), String.valueOf(data.getColumnType(at)),
                String.valueOf(data.getPrecision(at)), String.valueOf(data.getScale(at)),
                String.valueOf(data.getColumnDisplaySize(at)), String.valueOf(data.isNullable(at)),
                String.valueOf(data.isAutoIncrement(at))));
        }
        return columns;
    }

    static List<List<String>> chosen(ResultSet result, String... columns) throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        while (result.next()) {
            List<String> row = new ArrayList<>();
            for (String column : columns) row.add(result.getString(column));
            rows.add(row);
        }
        return rows;
    }

    static void fill(PreparedStatement statement) throws SQLException {
        statement.setLong(1, 7);
        statement.setBoolean(2, true);
        statement.setShort(3, (short) 3);
        statement.setInt(4, -5);
        statement.setFloat(5, 0.5f);
        statement.setDouble(6, 0.1);
        statement.setBigDecimal(7, new BigDecimal("99.95"));
        statement.setString(8, "it's \\ 好评\n");
        statement.setString(9, "v");
        statement.setBytes(10, new byte[] {0, (byte) 255});
        statement.setDate(11, Date.valueOf("2026-01-31"));
        statement.setTimestamp(12, Timestamp.valueOf("2026-01-31 08:30:00"));
        statement.setTimestamp(13, Timestamp.from(java.time.Instant.parse("2026-02-28T23:59:59.123456Z")));
        statement.setObject(14, UUID.fromString("123e4567-e89b-12d3-a456-426614174000"));
        statement.setArray(15, statement.getConnection().createArrayOf("text", new Object[] {"a", null, "b c"}));
        statement.setArray(16, statement.getConnection().createArrayOf("bigint", new Object[] {1L, 2L}));
    }

    static {
        STEPS.put("set_up", connection -> {
            try (Statement statement = connection.createStatement()) {
                for (String sql : SETUP) statement.execute(sql);
            }
            return "done";
        });
        STEPS.put("all_types", connection -> {
            ResultSet result = connection.createStatement().executeQuery("SELECT * FROM kinds ORDER BY id");
            return List.of(described(result.getMetaData()), rows(result));
        });
        STEPS.put("prepared_ten_times", connection -> {
            List<Object> found = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM kinds WHERE id > ? ORDER BY id")) {
                for (int turn = 1; turn <= 10; turn++) {
                    statement.setLong(1, turn);
                    found.add(rows(statement.executeQuery()));
                }
                found.add(statement.unwrap(org.postgresql.PGStatement.class).isUseServerPrepare());
            }
            return found;
        });
        STEPS.put("insert_of_every_type_ten_times", connection -> {
            String places = "?" + ", ?".repeat(15);
            int counted = 0;
            try (PreparedStatement statement = connection.prepareStatement("INSERT INTO kinds VALUES (" + places + ")")) {
                for (int turn = 0; turn < 10; turn++) {
                    fill(statement);
                    counted += statement.executeUpdate();
                }
            }
            List<List<String>> found = rows(connection.createStatement().executeQuery("SELECT DISTINCT * FROM kinds WHERE id = 7"));
            return List.of(counted, found, connection.createStatement().executeUpdate("DELETE FROM kinds WHERE id = 7"));
        });
        STEPS.put("parameter_types", connection -> {
            ParameterMetaData data = connection.prepareStatement("INSERT INTO kinds (id, amount, u, v, instant) VALUES (?, ?, ?, ?, ?)")
                .getParameterMetaData();
            List<String> found = new ArrayList<>();
            for (int at = 1; at <= data.getParameterCount(); at++) found.add(data.getParameterTypeName(at));
            return found;
        });
        STEPS.put("fetch_size", connection -> {
            connection.setAutoCommit(false);
            Statement statement = connection.createStatement();
            statement.setFetchSize(700);
            ResultSet result = statement.executeQuery("SELECT id FROM many ORDER BY id");
            long sum = 0, count = 0;
            while (result.next()) {
                sum += result.getLong(1);
                count++;
            }
            connection.commit();
            return List.of(count, sum);
        });
        STEPS.put("max_rows", connection -> {
            Statement statement = connection.createStatement();
            statement.setMaxRows(3);
            List<List<String>> few = rows(statement.executeQuery("SELECT id FROM many ORDER BY id"));
            statement.setMaxRows(Integer.MAX_VALUE);
            return List.of(few, rows(statement.executeQuery("SELECT id FROM many ORDER BY id")).size());
        });
        STEPS.put("scrolling", connection -> {
            Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
            ResultSet result = statement.executeQuery("SELECT id FROM many ORDER BY id");
            result.last();
            long last = result.getLong(1);
            result.absolute(5);
            return List.of(last, result.getLong(1));
        });
        STEPS.put("an_updatable_result", connection -> {
            Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE);
            ResultSet result = statement.executeQuery("SELECT id, name FROM keyed ORDER BY id");
            result.next();
            result.updateString("name", "changed");
            result.updateRow();
            return rows(connection.createStatement().executeQuery("SELECT * FROM keyed ORDER BY id"));
        });
        STEPS.put("batch", connection -> {
            try (PreparedStatement statement = connection.prepareStatement("INSERT INTO written VALUES (?, ?, ?)")) {
                for (int n = 0; n < 20; n++) {
                    statement.setInt(1, n);
                    statement.setString(2, "n" + n);
                    statement.setBigDecimal(3, n % 2 == 0 ? null : new BigDecimal("1.50"));
                    statement.addBatch();
                }
                int[] counts = statement.executeBatch();
                List<List<String>> found = rows(connection.createStatement().executeQuery("SELECT * FROM written ORDER BY id"));
                connection.createStatement().execute("DELETE FROM written");
                return List.of(Arrays.toString(counts), found);
            }
        });
        STEPS.put("a_batch_rewritten_to_one_insert", unused -> {
            try (Connection connection = connect("reWriteBatchedInserts", "true");
                 PreparedStatement statement = connection.prepareStatement("INSERT INTO written VALUES (?, ?, ?)")) {
                for (int n = 0; n < 20; n++) {
                    statement.setInt(1, n);
                    statement.setString(2, "n" + n);
                    statement.setBigDecimal(3, new BigDecimal("1.50"));
                    statement.addBatch();
                }
                statement.executeBatch();
                List<List<String>> found = rows(connection.createStatement().executeQuery("SELECT count(*), sum(amount) FROM written"));
                connection.createStatement().execute("DELETE FROM written");
                return found;
            }
        });
        STEPS.put("copy_both_ways", connection -> {
            CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
            long in = copy.copyIn("COPY written FROM STDIN (FORMAT csv)", new StringReader("1,\"a,b\",1.5\n2,,\n"));
            StringWriter out = new StringWriter();
            long counted = copy.copyOut("COPY written TO STDOUT", out);
            connection.createStatement().execute("DELETE FROM written");
            return List.of(in, counted, out.toString());
        });
        STEPS.put("cancel", connection -> {
            Statement statement = connection.createStatement();
            Thread cancel = new Thread(() -> {
                try {
                    while (true) {
                        Thread.sleep(300);
                        statement.cancel();
                    }
                } catch (InterruptedException | SQLException end) {
                    // The statement has ended.
                }
            });
            cancel.start();
            String code = "none";
            try {
                statement.executeQuery("SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b");
            } catch (SQLException error) {
                code = error.getSQLState();
            }
            cancel.interrupt();
            cancel.join();
            return code;
        });
        STEPS.put("a_query_timeout", connection -> {
            Statement statement = connection.createStatement();
            statement.setQueryTimeout(1);
            try {
                statement.executeQuery("SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b");
                return "none";
            } catch (SQLException error) {
                return error.getSQLState();
            }
        });
        STEPS.put("transactions", connection -> {
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            List<Object> found = new ArrayList<>();
            found.add(rows(connection.createStatement().executeQuery("SHOW transaction_isolation")));
            for (String sql : new String[] {"SELECT * FROM absent", "SELECT 1"}) {
                try {
                    connection.createStatement().executeQuery(sql);
                } catch (SQLException error) {
                    found.add(error.getSQLState());
                }
            }
            connection.rollback();
            connection.setReadOnly(true);
            try {
                connection.createStatement().executeUpdate("DELETE FROM written");
            } catch (SQLException error) {
                found.add(error.getSQLState());
            }
            connection.rollback();
            return found;
        });
        STEPS.put("savepoints", connection -> {
            connection.setAutoCommit(false);
            Savepoint savepoint = connection.setSavepoint("here");
            String code = "none";
            try {
                connection.createStatement().executeQuery("SELECT 1/0");
            } catch (SQLException error) {
                code = error.getSQLState();
            }
            connection.rollback(savepoint);
            List<List<String>> found = rows(connection.createStatement().executeQuery("SELECT 1"));
            connection.commit();
            return List.of(code, found);
        });
        STEPS.put("untyped_timestamps", connection -> {
            PreparedStatement statement = connection.prepareStatement("SELECT count(*) FROM kinds WHERE instant > ? AND at < ? AND day = ?");
            statement.setTimestamp(1, Timestamp.from(java.time.Instant.parse("2026-01-01T00:00:00Z")));
            statement.setTimestamp(2, Timestamp.valueOf("2030-01-01 00:00:00"));
            statement.setDate(3, Date.valueOf("2026-01-31"));
            return rows(statement.executeQuery());
        });
        STEPS.put("errors", connection -> {
            List<String> found = new ArrayList<>();
            for (String sql : new String[] {"SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0",
                    "SELECT 'x'::int", "INSERT INTO keyed VALUES (1, 'twice')", "INSERT INTO keyed VALUES (3, NULL)"}) {
                try {
                    connection.createStatement().execute(sql);
                } catch (SQLException error) {
                    found.add(error.getSQLState());
                }
            }
            return found;
        });
        STEPS.put("simple_protocol", unused -> {
            try (Connection connection = connect("preferQueryMode", "simple")) {
                PreparedStatement statement = connection.prepareStatement("SELECT name FROM many WHERE id = ? AND price > ?");
                statement.setLong(1, 7);
                statement.setBigDecimal(2, new BigDecimal("0.5"));
                return rows(statement.executeQuery());
            }
        });
        STEPS.put("tables", connection -> chosen(
            connection.getMetaData().getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}),
            "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE"));
        STEPS.put("schemas", connection -> {
            List<List<String>> found = chosen(connection.getMetaData().getSchemas(), "TABLE_SCHEM");
            return found.containsAll(List.of(List.of("public"), List.of("pg_catalog"), List.of("information_schema")));
        });
        STEPS.put("columns", connection -> chosen(connection.getMetaData().getColumns(null, "public", "kinds", "%"),
            "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE", "DECIMAL_DIGITS", "NULLABLE", "COLUMN_DEF",
            "ORDINAL_POSITION", "IS_AUTOINCREMENT"));
        STEPS.put("keys", connection -> List.of(
            chosen(connection.getMetaData().getPrimaryKeys(null, "public", "keyed"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"),
            chosen(connection.getMetaData().getIndexInfo(null, "public", "keyed", true, false), "COLUMN_NAME", "INDEX_NAME", "NON_UNIQUE"),
            chosen(connection.getMetaData().getImportedKeys(null, "public", "keyed"), "PKTABLE_NAME")));
        STEPS.put("type_info", connection -> {
            List<String> found = new ArrayList<>();
            for (List<String> row : chosen(connection.getMetaData().getTypeInfo(), "TYPE_NAME", "DATA_TYPE", "PRECISION")) {
                if (List.of("int8", "numeric", "text", "varchar", "timestamptz", "uuid", "bool", "_text").contains(row.get(0)))
                    found.add(row.toString());
            }
            found.sort(null);
            return found;
        });
        STEPS.put("product", connection -> List.of(connection.getMetaData().getDatabaseProductName(),
            connection.getMetaData().getDatabaseMajorVersion(), connection.getCatalog().equals(System.getenv("PGDATABASE")),
            connection.getSchema(), connection.isValid(5)));
    }

    public static void main(String[] arguments) throws Exception {
        java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("UTC"));
        java.io.PrintStream out = new java.io.PrintStream(System.out, true, "UTF-8");
        for (Map.Entry<String, Step> step : STEPS.entrySet()) {
            String said;
            try (Connection connection = connect()) {
                said = String.valueOf(step.getValue().run(connection));
            } catch (SQLException error) {
                said = "SQLException " + error.getSQLState() + ": " + error.getMessage().split("\n")[0];
            } catch (Exception error) {
                said = error.toString();
            }
            out.println(step.getKey() + "\t" + said.replace('\n', ' ').replace('\t', ' '));
        }
        System.exit(0);
    }
}
