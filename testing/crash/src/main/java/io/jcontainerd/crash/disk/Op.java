package io.jcontainerd.crash.disk;

import io.jcontainerd.core.ports.FileStat;
import java.nio.ByteBuffer;
import java.time.Instant;

/** One elementary change of a disk. Files and folders are named by their inode's number. */
public sealed interface Op extends Step {
  /** An inode comes into being; nothing leads to it yet. */
  record Make(long node, FileStat.Type type, int mode) implements Op {}

  /** A name appears in a folder. */
  record Name(long folder, String name, long node) implements Op {}

  /** A name goes. */
  record Unname(long folder, String name) implements Op {}

  /** A name moves, replacing what has its new place. */
  record Rename(long from, String oldName, long to, String newName, long node) implements Op {}

  /** Bytes are written; the buffer is read-only and belongs to this record. */
  record Write(long file, long position, ByteBuffer bytes) implements Op {}

  /** A file is cut, or extended with zeros. */
  record Truncate(long file, long size) implements Op {}

  /** Permission bits change. */
  record Mode(long node, int mode) implements Op {}

  /** Owner and group change; -1 leaves one. */
  record Owner(long node, int uid, int gid) implements Op {}

  /** A time changes. */
  record Modified(long node, Instant time) implements Op {}

  /** The bytes, the size and the attributes of a file become durable. */
  record ForceFile(long file) implements Op {}

  /** The names in a folder, and its attributes, become durable. */
  record ForceFolder(long folder) implements Op {}

  /** Everything becomes durable. */
  record ForceAll() implements Op {}
}
