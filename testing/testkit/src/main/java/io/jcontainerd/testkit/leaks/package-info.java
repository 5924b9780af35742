/** What a test left behind on the machine. */
package io.jcontainerd.testkit.leaks;
