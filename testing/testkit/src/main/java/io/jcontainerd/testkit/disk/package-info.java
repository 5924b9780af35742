/** Disks that a test makes and removes. */
package io.jcontainerd.testkit.disk;
