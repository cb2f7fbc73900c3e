// Every limit of the configuration, in one place: what a file may cost to read, and how much it may ask for.
// Numbers only. A test stands at each limit and one past it.

/** Size of a configuration file, in UTF-8 bytes. The largest configuration, with every key and the longest names, stays below it. */
export const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Lists and mappings inside each other, as the YAML parser stacks them; the deepest valid file needs 9. The parser
 * recurses per level, so this is also what keeps its call stack bounded. */
export const NESTING_MAX = 32;

/** Lexical pieces (keys, values, punctuation, space, line breaks). Reading costs about 2 us each, whatever they say. */
export const LEXEMES_MAX = 400_000;

/** Lines. One text over many of them is one piece, and is put together line by line. */
export const LINES_MAX = 400_000;

/** Keys of the whole file: more than the largest configuration has that says everything of each node, config and nodebalancer. */
export const KEYS_MAX = 40_000;

/** What else is neither space nor a comment: keys' names, values, brackets, commas. The largest configuration has 130,000, as JSON. */
export const SIGNS_MAX = 135_000;

/** Values after every alias is written out: what an alias bomb multiplies. */
export const VALUES_MAX = 100_000;

/** Problems that are described; past it, only their number. */
export const PROBLEMS_MAX = 100;

/** Items of lists that are judged, all together: more than the largest configuration has, with its nodebalancers, configs and nodes. */
export const ITEMS_JUDGED_MAX = 8192;

/** Steps of a program that a regular expression is compiled to. A plain text of the greatest length stays below. */
export const EXPRESSION_STEPS_MAX = 1200;

/** What compiling all different expressions of a configuration may cost, as `expression-size.ts` counts it: 0.2 s. */
export const EXPRESSIONS_COST_MAX = 40_000;

/** Characters of a found text that a message quotes. */
export const QUOTE_CHARS_MAX = 60;

export const NODEBALANCERS_MAX = 512;

/** Frontends of all nodebalancers together: each is a listening socket per shard and address family. */
export const FRONTENDS_MAX = 512;

/** The limit of a NodeBalancer. */
export const NODES_PER_FRONTEND_MAX = 1000;

/** Nodes of all frontends together: each has a slot in every shard's counters. */
export const NODES_MAX = 4096;

/** As many sessions as a process may have. */
export const MAX_CONNECTIONS_MAX = 1_000_000;
export const QUEUE_SIZE_MAX = 100_000;

export const LABEL_CHARS_MIN = 3;
export const LABEL_CHARS_MAX = 32;
export const CHECK_PATH_CHARS_MAX = 1024;
export const CHECK_BODY_CHARS_MAX = 1024;
/** A host name of 253 characters with a dot at its end, a colon and a port; no bracketed address is longer. */
export const NODE_ADDRESS_CHARS_MAX = 260;
