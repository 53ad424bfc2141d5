import java.sql.*;

/** Asks the driver for the tables and columns of one schema, some times over, and prints the milliseconds of each. */
public class Columns {
    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE");
        String schema = arguments[0];
        try (Connection connection = DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
            DatabaseMetaData known = connection.getMetaData();
            for (int round = 0; round < Integer.parseInt(arguments[1]); round++) {
                time("getTables", known.getTables(null, schema, "%", new String[] {"TABLE"}));
                time("getColumns", known.getColumns(null, schema, "%", "%"));
                time("getColumns of a table", known.getColumns(null, schema, "t0007", "%"));
                time("getPrimaryKeys of a table", known.getPrimaryKeys(null, schema, "t0007"));
            }
        }
    }

    private static long started = System.nanoTime();

    private static void time(String what, ResultSet result) throws SQLException {
        long rows = 0;
        while (result.next()) rows++;
        result.close();
        System.out.println(what + "\t" + rows + "\t" + (System.nanoTime() - started) / 1e6);
        started = System.nanoTime();
    }
}
