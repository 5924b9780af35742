import org.jspecify.annotations.NullMarked;

/** The one SQLite file: group commit, savepoints, readers that never wait, numbered events. */
@NullMarked
module io.jcontainerd.store {
  requires static transitive org.jspecify;
  requires java.sql;
  requires org.xerial.sqlitejdbc;

  exports io.jcontainerd.store;
}
