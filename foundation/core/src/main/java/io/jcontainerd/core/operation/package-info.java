/**
 * What is under way in this process: who works on what, in which stage, since when, and what it
 * waits for. In memory only, for an operation ends with its process.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.core.operation;
