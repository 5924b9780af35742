/** One virtual machine that is daemon and shim host, while a start-up cache is recorded. */
package io.jcontainerd.training;
