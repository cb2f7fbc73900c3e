// Says how old the last recorded thorough run of the suite is, and what it came to.

import { describeThorough } from '../testing/suite/thorough-record.ts';

process.stdout.write(describeThorough());
