/** Control groups, version 1 and 2: whose they are, what they count, and when memory runs out. */
package io.jcontainerd.linux.cgroup;
