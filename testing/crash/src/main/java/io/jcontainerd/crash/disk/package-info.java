/**
 * A disk as a power cut may leave it: what a program did to its files, change by change, which of
 * the changes were forced, and any of the states that the others can leave.
 */
package io.jcontainerd.crash.disk;
