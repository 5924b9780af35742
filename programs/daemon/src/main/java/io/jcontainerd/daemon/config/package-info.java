/**
 * containerd's TOML configuration: reading, migrating, importing, checking and printing.
 *
 * <p>A file goes through four steps, each a class of its own. {@link TomlDocument} turns text into
 * plain maps, {@link Migration} brings them to the current version, {@link ConfigLoader} follows
 * imports and merges them, and {@link RecordBinder} turns the result into records. Everything that
 * is wrong along the way is collected in {@link Findings}, so that one start tells all of it.
 */
@NullMarked
package io.jcontainerd.daemon.config;

import org.jspecify.annotations.NullMarked;
