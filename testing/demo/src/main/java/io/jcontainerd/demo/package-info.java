/**
 * What {@code ./dev demo} runs: one container from nothing to nothing, and a count of what is left.
 */
package io.jcontainerd.demo;
