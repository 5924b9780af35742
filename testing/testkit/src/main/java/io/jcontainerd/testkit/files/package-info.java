/** A file system in memory that knows what a power cut leaves of it. */
package io.jcontainerd.testkit.files;
