// The texts of `balancer --help` and `balancer help VERB`.

const GENERAL = `balancer: a TCP load balancer that tells every node who the client is

Usage: balancer COMMAND [OPTIONS]

Commands:
  run [-f FILE]        listen and balance, in the foreground
  check -f FILE        say everything that is wrong with a configuration file
  status               what the running balancer serves, and how it fares
  nodes                every node of the running balancer, with its health
  env                  list the environment variables that tune the balancer
  version              print the version
  help [COMMAND]       print this, or more about a command

Exit codes: 0 ok, 1 failure, 2 usage, 78 bad configuration.
`;

const VERBS: Readonly<Record<string, string>> = {
  run: `Usage: balancer run [-f FILE]

Listens and balances until it is told to stop. The configuration is in the store, empty at first, and is changed while it runs: through
the API, by default at 127.0.0.1:8080, whose first token the first start prints, once.

  -f, --file FILE      FILE (YAML or JSON) is the configuration instead; the API shows it, and changes nothing

Signals:
  TERM      accept no more, let sessions end, stop at the drain deadline
  INT       the same; a second one stops at once
  HUP       read FILE again; if it is bad, the old configuration stays
  USR1      open the access log anew

Environment: see "balancer env".
`,
  check: `Usage: balancer check -f FILE [--json]

Reads FILE as "run" would and lists all mistakes. Exit code 78 if there are any.

  -f, --file FILE      the configuration
      --json           the result as JSON on stdout
`,
  status: `Usage: balancer status [--json] [--data-dir DIR]

Asks the running balancer what it serves: one line per port, with health, sessions, bytes and the reason.

      --json           everything there is to know, as JSON
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  nodes: `Usage: balancer nodes [--json] [--data-dir DIR]

Asks the running balancer about its nodes: one line each, with mode, health (UP, DOWN, unknown; out: taken out because
sessions could not connect), sessions, connects, the last check and the reason.

      --json           a list with everything there is to know about each, as JSON
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  env: `Usage: balancer env [--json]

Lists the environment variables with value, source, default and meaning.

      --json           the list as JSON
`,
  version: `Usage: balancer version

Prints the version.
`,
};

export function help(verb?: string): string {
  return (verb !== undefined && Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined) ?? GENERAL;
}
