/** What implementations of core's interfaces owe their callers, as tests to extend. */
package io.jcontainerd.testkit.contract;
