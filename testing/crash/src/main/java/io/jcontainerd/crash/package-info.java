/**
 * The crash programs: every state that a crash can leave of a scenario, and every call of a port
 * failing in turn, against the production code of the storage rooms over files in memory.
 */
package io.jcontainerd.crash;
