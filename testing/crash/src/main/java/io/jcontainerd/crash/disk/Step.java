package io.jcontainerd.crash.disk;

/** Something that a recording keeps: a change of the disk, or what a client was told meanwhile. */
public sealed interface Step permits Op, Told {}
