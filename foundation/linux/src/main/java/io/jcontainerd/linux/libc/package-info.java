/**
 * Calls into the C library in C's own words: one class per family, one method per call, no policy.
 * Numbers and layouts are those of Linux on x86-64 and AArch64 with glibc. Not exported.
 */
package io.jcontainerd.linux.libc;
