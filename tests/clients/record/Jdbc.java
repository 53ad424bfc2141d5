import java.sql.*;
import java.util.Properties;

/** Drives pgjdbc: java -cp JAR Jdbc.java HOST PORT; the marks of recorder.py on a connection of its own. */
class Jdbc {
    interface Step { Object run() throws Exception; }

    static Statement marks;

    static void step(String what, Step step) throws Exception {
        marks.execute("SELECT '-- step: " + what.replace("'", "''") + "'");
        try {
            Object found = step.run();
            if (found instanceof ResultSet rows) {
                while (rows.next()) { }
                rows.close();
            }
        } catch (SQLException error) {
            System.err.println(what + ": " + error.getMessage());
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://" + arguments[0] + ":" + arguments[1] + "/voxhouse";
        Properties account = new Properties();
        account.put("user", "voxhouse");
        account.put("password", "voxhouse");
        Properties simple = new Properties();
        simple.putAll(account);
        simple.put("preferQueryMode", "simple");
        simple.put("ApplicationName", "recorder");
        marks = DriverManager.getConnection(url, simple).createStatement();
        metadata(DriverManager.getConnection(url, account));
        statements(DriverManager.getConnection(url, account));
    }

    static void metadata(Connection connection) throws Exception {
        DatabaseMetaData meta = connection.getMetaData();
        String[] types = {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "PARTITIONED TABLE"};
        step("getCatalogs", meta::getCatalogs);
        step("getSchemas", meta::getSchemas);
        step("getSchemas(catalog, pattern)", () -> meta.getSchemas("voxhouse", "cr%"));
        step("getTableTypes", meta::getTableTypes);
        step("getTables(all)", () -> meta.getTables(null, null, "%", null));
        step("getTables(types)", () -> meta.getTables("voxhouse", "public", "%", types));
        step("getTables(one)", () -> meta.getTables(null, "public", "orders", new String[] {"TABLE"}));
        step("getColumns(all)", () -> meta.getColumns(null, null, "%", "%"));
        step("getColumns(table)", () -> meta.getColumns(null, "public", "orders", null));
        step("getColumns(column)", () -> meta.getColumns(null, "public", "orders", "amo%"));
        step("getColumns(every type)", () -> meta.getColumns(null, "public", "tickets", "%"));
        step("getPrimaryKeys", () -> meta.getPrimaryKeys(null, "public", "orders"));
        step("getPrimaryKeys(any schema)", () -> meta.getPrimaryKeys(null, null, "customers"));
        step("getImportedKeys", () -> meta.getImportedKeys(null, "public", "orders"));
        step("getExportedKeys", () -> meta.getExportedKeys(null, "public", "customers"));
        step("getCrossReference", () -> meta.getCrossReference(null, "public", "customers", null, "public", "orders"));
        step("getIndexInfo", () -> meta.getIndexInfo(null, "public", "orders", false, true));
        step("getIndexInfo(unique)", () -> meta.getIndexInfo(null, "public", "customers", true, false));
        step("getBestRowIdentifier", () -> meta.getBestRowIdentifier(null, "public", "orders", 2, true));
        step("getVersionColumns", () -> meta.getVersionColumns(null, "public", "orders"));
        step("getTypeInfo", meta::getTypeInfo);
        step("getUDTs", () -> meta.getUDTs(null, "public", "%", null));
        step("getUDTs(types)", () -> meta.getUDTs(null, null, "mood", new int[] {Types.STRUCT, Types.DISTINCT}));
        step("getProcedures", () -> meta.getProcedures(null, "public", "%"));
        step("getProcedureColumns", () -> meta.getProcedureColumns(null, "public", "touch", "%"));
        step("getFunctions", () -> meta.getFunctions(null, "public", "%"));
        step("getFunctionColumns", () -> meta.getFunctionColumns(null, "public", "orders_of", "%"));
        step("getTablePrivileges", () -> meta.getTablePrivileges(null, "public", "customers"));
        step("getColumnPrivileges", () -> meta.getColumnPrivileges(null, "crm", "notes", "%"));
        step("getClientInfoProperties", meta::getClientInfoProperties);
        step("limits and versions", () -> {
            meta.getSQLKeywords();
            meta.getMaxColumnNameLength();
            meta.getMaxIndexLength();
            meta.getDatabaseProductVersion();
            meta.getDefaultTransactionIsolation();
            meta.getNumericFunctions();
            return null;
        });
        connection.close();
    }

    static void statements(Connection connection) throws Exception {
        step("session", () -> {
            connection.getSchema();
            connection.getCatalog();
            connection.setSchema("crm");
            connection.setSchema("public");
            connection.getTransactionIsolation();
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            connection.setReadOnly(true);
            connection.setReadOnly(false);
            connection.setClientInfo("ApplicationName", "a report");
            connection.setNetworkTimeout(null, 10000);
            connection.isValid(5);
            return null;
        });
        step("prepared, ten times", () -> {
            PreparedStatement query = connection.prepareStatement("SELECT name, score FROM customers WHERE customer_id = ? AND created_at < ?");
            for (int i = 0; i < 10; i++) {
                query.setLong(1, i);
                query.setTimestamp(2, Timestamp.valueOf("2027-01-01 00:00:00"));
                query.executeQuery();
            }
            return null;
        });
        step("parameters of every type", () -> {
            PreparedStatement query = connection.prepareStatement("SELECT * FROM orders WHERE quantity = ? AND amount > ? AND ordered_at > ? AND category = ? AND tracking IS DISTINCT FROM ? AND order_id = ANY (?)");
            query.setInt(1, 1);
            query.setBigDecimal(2, new java.math.BigDecimal("1.50"));
            query.setObject(3, java.time.OffsetDateTime.parse("2026-01-01T00:00:00Z"));
            query.setString(4, "kitchen");
            query.setObject(5, java.util.UUID.fromString("123e4567-e89b-12d3-a456-426614174000"));
            query.setArray(6, connection.createArrayOf("bigint", new Long[] {100L, 101L}));
            return query.executeQuery();
        });
        step("result metadata", () -> {
            ResultSetMetaData columns = connection.createStatement().executeQuery("SELECT * FROM orders o JOIN customers c USING (customer_id)").getMetaData();
            PGColumns.describe(columns);
            return connection.prepareStatement("SELECT feeling, home, during FROM tickets WHERE ticket_id = ?").getMetaData().getColumnCount();
        });
        step("objects of their own types", () -> {
            ResultSet rows = connection.createStatement().executeQuery("SELECT tags, attributes, 'sad'::mood, ROW('a', 'b')::address FROM orders");
            while (rows.next()) {
                rows.getObject(1);
                rows.getObject(2);
                rows.getObject(3);
                rows.getObject(4);
            }
            rows.getMetaData().getColumnTypeName(4);
            return null;
        });
        connection.setAutoCommit(false);
        step("fetch size", () -> {
            Statement query = connection.createStatement();
            query.setFetchSize(2);
            return query.executeQuery("SELECT * FROM orders");
        });
        step("cursor that can scroll and update", () -> connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE).executeQuery("SELECT * FROM customers"));
        step("batch", () -> {
            connection.createStatement().execute("CREATE TABLE scratch (id int, name text)");
            PreparedStatement insert = connection.prepareStatement("INSERT INTO scratch VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS);
            for (int i = 0; i < 3; i++) {
                insert.setInt(1, i);
                insert.setString(2, "row");
                insert.addBatch();
            }
            insert.executeBatch();
            Savepoint savepoint = connection.setSavepoint("before");
            connection.rollback(savepoint);
            connection.releaseSavepoint(connection.setSavepoint());
            return null;
        });
        step("copy", () -> {
            org.postgresql.copy.CopyManager copy = connection.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
            copy.copyIn("COPY scratch FROM STDIN WITH (FORMAT csv)", new java.io.StringReader("9,nine\n"));
            copy.copyOut("COPY scratch TO STDOUT", new java.io.StringWriter());
            connection.rollback();
            return null;
        });
        step("escapes and timeouts", () -> {
            Statement query = connection.createStatement();
            query.setQueryTimeout(30);
            query.setMaxRows(2);
            return query.executeQuery("SELECT {fn ucase(name)}, {fn timestampdiff(SQL_TSI_DAY, created_at, {fn now()})} FROM customers WHERE born_on > {d '1980-01-01'}");
        });
        step("call", () -> {
            CallableStatement call = connection.prepareCall("{? = call order_count(?)}");
            call.registerOutParameter(1, Types.BIGINT);
            call.setLong(2, 1);
            return call.execute();
        });
        connection.rollback();
        connection.close();
    }
}

class PGColumns {
    static void describe(ResultSetMetaData columns) throws SQLException {
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            columns.getTableName(i);
            columns.isAutoIncrement(i);
            columns.isNullable(i);
            columns.getColumnTypeName(i);
        }
    }
}
