// The texts of `balancer --help` and `balancer help VERB`.

const GENERAL = `balancer: a TCP load balancer that tells every node who the client is

Usage: balancer COMMAND [OPTIONS]

Commands:
  run [-f FILE]        listen and balance, in the foreground
  check -f FILE        say everything that is wrong with a configuration file, or (--store) with the store
  status               what the running balancer serves, and how it fares
  nodes                every node of the running balancer, with its health
  conns                its sessions
  kill                 end sessions: one, all of a client, all of a node
  apply -f FILE        make the stored configuration what FILE says
  export               print the stored configuration as a file
  history              who changed what, and when
  rollback N           make it again what it was at revision N
  token                create, list and revoke tokens for the API
  login                print an address that logs you in at the page; list and end logins
  env                  list the environment variables that tune the balancer
  version              print the version
  help [COMMAND]       print this, or more about a command

Exit codes: 0 ok, 1 failure, 2 usage, 75 an address or port is not to be had now, 78 bad configuration.
`;

const VERBS: Readonly<Record<string, string>> = {
  run: `Usage: balancer run [-f FILE]

Listens and balances until it is told to stop. The configuration is in the store, empty at first, and is changed while it runs: through
the API, by default at 127.0.0.1:8080. Its first token the first start prints, once, on a terminal; else it is in the file first-login
of the data directory.

  -f, --file FILE      FILE (YAML or JSON) is the configuration instead; the API shows it, and changes nothing

Signals:
  TERM      accept no more, let sessions end, stop at the drain deadline
  INT       the same; a second one stops at once
  HUP       read FILE again; if it is bad, the old configuration stays
  USR1      open the access log anew

Environment: see "balancer env".
`,
  check: `Usage: balancer check -f FILE [--json]
       balancer check --store [--json] [--data-dir DIR]

Reads FILE as "run" would and lists all mistakes; or looks whether the store is whole, every revision of it, and
changes nothing. Exit code 78 if something is wrong. What is only doubtful is a warning: among others, addresses that
this machine does not have.

  -f, --file FILE      the configuration
      --store          the store, whether a balancer runs or not
      --json           the result as JSON on stdout
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
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
  conns: `Usage: balancer conns [FILTER] [--limit N] [--json] [--data-dir DIR]

Lists the sessions that run: id, client, port, node, age and bytes.

      --client IP      only those of this client
      --node ADDRESS   only those of this node: 192.0.2.10:8080
      --nodebalancer LABEL, --port PORT
      --limit N        at most so many (100)
      --json           a list with everything there is to know about each, as JSON
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  kill: `Usage: balancer kill ID | FILTER [--data-dir DIR]

Ends the session ID (see "conns"), or all that fit a filter. What is on its way is lost.

      --client IP      all of this client
      --node ADDRESS   all of this node: 192.0.2.10:8080
      --nodebalancer LABEL, --port PORT
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  apply: `Usage: balancer apply -f FILE [--dry-run] [--json] [--data-dir DIR]

Prints what is different in FILE, and makes the stored configuration what it says: at once where a balancer runs, at its next start
where none does. What stays the same keeps its ids and its connections.

  -f, --file FILE      the configuration (YAML or JSON)
      --dry-run        only print what is different
      --json           the result as JSON on stdout
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  export: `Usage: balancer export [-o FILE] [--json] [--data-dir DIR]

Prints the stored configuration as a file that "run -f" and "apply -f" take.

  -o, --output FILE    into FILE instead, which is there as a whole or as it was before
      --json           as JSON instead of YAML
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  history: `Usage: balancer history [--limit N] [--json] [--data-dir DIR]

Lists the revisions of the stored configuration, newest first: who changed what, and when (UTC).

      --limit N        at most so many (20)
      --json           as JSON
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  rollback: `Usage: balancer rollback N [--data-dir DIR]

Makes the stored configuration what it was at revision N, as a new revision, and prints what that changes.

      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  token: `Usage: balancer token create --scope read_only|read_write --label LABEL [--data-dir DIR]
       balancer token list [--json] [--data-dir DIR]
       balancer token revoke ID [--data-dir DIR]

Tokens for the API. "create" prints the token alone on stdout; nobody can see it again.

      --scope SCOPE    read_only may look, read_write may change
      --label LABEL    what it is for: changes carry this name in the history
      --json           the list as JSON
      --data-dir DIR   its directory; else BALANCER_DATA_DIR, else the default ("balancer env")
`,
  login: `Usage: balancer login [--data-dir DIR]
       balancer login list [--json] [--data-dir DIR]
       balancer login revoke ID [--data-dir DIR]

Prints an address that logs whoever opens it in at the page, once, within 15 minutes. "list" shows who is logged in,
with a token or by such an address, and which addresses may still be opened; "revoke" ends one of them.

      --json           the list as JSON
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
