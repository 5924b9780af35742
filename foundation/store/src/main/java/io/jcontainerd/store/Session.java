package io.jcontainerd.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;
import org.sqlite.JDBC;

/** One connection with its prepared statements. For one thread at a time. */
final class Session implements ReadTransaction, AutoCloseable {
  private static final int STATEMENTS_KEPT = 128;

  private final Path file;
  private final Connection connection;
  private final Map<String, PreparedStatement> idle = new LinkedHashMap<>(64, 0.75f, true);

  private Session(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
  }

  /** Opens a connection that can only read, or one that can write. */
  static Session open(Path file, boolean readOnly) {
    try {
      Connection connection = JDBC.createConnection("jdbc:sqlite:" + file, new Properties());
      Session session = new Session(file, connection);
      try {
        session.prepare(readOnly);
        return session;
      } catch (StoreException e) {
        session.closeQuietly(e);
        throw e;
      }
    } catch (SQLException e) {
      throw Failures.of(file, "opening it", e);
    }
  }

  private void prepare(boolean readOnly) {
    execute("PRAGMA busy_timeout=5000"); // only a shell of the administrator can be in the way
    execute("PRAGMA temp_store=MEMORY"); // no files elsewhere
    if (readOnly) {
      execute("PRAGMA query_only=ON");
      execute("PRAGMA cache_size=-2048");
    } else {
      execute("PRAGMA journal_mode=WAL");
      execute("PRAGMA synchronous=FULL");
      execute("PRAGMA journal_size_limit=16777216");
      execute("PRAGMA cache_size=-4096");
    }
  }

  Path file() {
    return file;
  }

  /** Lets statements of this connection call a function. */
  void function(String function, Function implementation) {
    try {
      Function.create(connection, function, implementation);
    } catch (SQLException e) {
      throw failure("defining " + function, e);
    }
  }

  /** Runs a statement whose result does not matter. */
  void execute(String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw failure(sql, e);
    }
  }

  /** Frees the pages that it keeps in memory; they are read again when they are needed. */
  void shrink() {
    execute("PRAGMA shrink_memory");
  }

  /** Runs a statement without arguments that will be run again. */
  void command(String sql) {
    @Nullable PreparedStatement statement = take(sql);
    try {
      statement.execute();
    } catch (SQLException e) {
      discard(statement, e);
      statement = null;
      throw failure(sql, e);
    } finally {
      giveBack(sql, statement);
    }
  }

  int update(String sql, @Nullable Object... arguments) {
    @Nullable PreparedStatement statement = take(sql);
    try {
      bind(statement, arguments);
      return statement.executeUpdate();
    } catch (SQLException e) {
      discard(statement, e);
      statement = null;
      throw failure(sql, e);
    } finally {
      giveBack(sql, statement);
    }
  }

  @Override
  public <T> List<T> all(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments) {
    List<T> found = new ArrayList<>();
    each(sql, row -> found.add(mapper.map(row)), arguments);
    return found;
  }

  @Override
  public <T> Optional<T> first(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments) {
    @Nullable PreparedStatement statement = take(sql);
    try {
      bind(statement, arguments);
      try (ResultSet result = statement.executeQuery()) {
        return result.next() ? Optional.of(mapper.map(new ResultRow(result))) : Optional.empty();
      }
    } catch (SQLException e) {
      discard(statement, e);
      statement = null;
      throw failure(sql, e);
    } finally {
      giveBack(sql, statement);
    }
  }

  @Override
  public void each(String sql, Consumer<Row> each, @Nullable Object... arguments) {
    @Nullable PreparedStatement statement = take(sql);
    try {
      bind(statement, arguments);
      try (ResultSet result = statement.executeQuery()) {
        Row row = new ResultRow(result);
        while (result.next()) {
          each.accept(row);
        }
      }
    } catch (SQLException e) {
      discard(statement, e);
      statement = null;
      throw failure(sql, e);
    } finally {
      giveBack(sql, statement);
    }
  }

  private PreparedStatement take(String sql) {
    PreparedStatement statement = idle.remove(sql);
    if (statement != null) {
      return statement;
    }
    try {
      return connection.prepareStatement(sql);
    } catch (SQLException e) {
      throw failure(sql, e);
    }
  }

  /** A statement that failed is not used again: the driver may have ended it. */
  private static void discard(PreparedStatement statement, SQLException reason) {
    try {
      statement.close();
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private void giveBack(String sql, @Nullable PreparedStatement statement) {
    if (statement == null) {
      return;
    }
    PreparedStatement surplus = idle.put(sql, statement);
    if (surplus == null && idle.size() > STATEMENTS_KEPT) {
      var eldest = idle.entrySet().iterator();
      surplus = eldest.next().getValue();
      eldest.remove();
    }
    if (surplus != null) {
      try {
        surplus.close();
      } catch (SQLException e) {
        throw failure("closing a statement", e);
      }
    }
  }

  private static void bind(PreparedStatement statement, @Nullable Object... arguments)
      throws SQLException {
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case null -> statement.setNull(i + 1, Types.NULL);
        case String text -> statement.setString(i + 1, text);
        case Long number -> statement.setLong(i + 1, number);
        case Integer number -> statement.setLong(i + 1, number);
        case Boolean truth -> statement.setLong(i + 1, truth ? 1 : 0);
        case byte[] bytes -> statement.setBytes(i + 1, bytes);
        case Object other ->
            throw new IllegalArgumentException("cannot store a " + other.getClass().getName());
      }
    }
  }

  private StoreException failure(String doing, SQLException e) {
    return Failures.of(file, doing, e);
  }

  private void closeQuietly(StoreException reason) {
    try {
      close();
    } catch (StoreException e) {
      reason.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    try {
      for (PreparedStatement statement : idle.values()) {
        statement.close();
      }
      idle.clear();
      connection.close();
    } catch (SQLException e) {
      throw failure("closing it", e);
    }
  }

  /** The row that the result stands on. */
  private final class ResultRow implements Row {
    private final ResultSet result;

    ResultRow(ResultSet result) {
      this.result = result;
    }

    @Override
    public String text(int column) {
      String text = textOrNull(column);
      if (text == null) {
        throw unexpectedNull(column);
      }
      return text;
    }

    @Override
    public @Nullable String textOrNull(int column) {
      try {
        return result.getString(column + 1);
      } catch (SQLException e) {
        throw failure("reading column " + column, e);
      }
    }

    @Override
    public long number(int column) {
      try {
        return result.getLong(column + 1);
      } catch (SQLException e) {
        throw failure("reading column " + column, e);
      }
    }

    @Override
    public byte[] bytes(int column) {
      byte[] bytes = bytesOrNull(column);
      if (bytes == null) {
        throw unexpectedNull(column);
      }
      return bytes;
    }

    @Override
    public byte @Nullable [] bytesOrNull(int column) {
      try {
        return result.getBytes(column + 1);
      } catch (SQLException e) {
        throw failure("reading column " + column, e);
      }
    }

    @Override
    public boolean isNull(int column) {
      try {
        return result.getObject(column + 1) == null;
      } catch (SQLException e) {
        throw failure("reading column " + column, e);
      }
    }

    private StoreException unexpectedNull(int column) {
      return new StoreException(
          StoreException.Kind.STATEMENT, "store %s: column %d is null".formatted(file, column));
    }
  }
}
