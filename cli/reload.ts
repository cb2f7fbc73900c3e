// What a HUP does: the configuration file is read again and put into force, or the old configuration stays.

import type { OwnAddresses } from '../core/config/own-ports.ts';
import { ListenError } from '../workers/listeners.ts';
import type { Logger } from '../workers/logger.ts';
import { UnansweredError } from '../workers/shard-thread.ts';
import { RefusedError, type Supervisor } from '../workers/supervisor.ts';
import { readConfigFile } from './config-file.ts';

/**
 * @param file undefined when the store has the configuration @param own what its nodes must not be
 * @returns whether what the file says is in force; undefined when there is none
 */
export async function reload(
  supervisor: Supervisor,
  file: string | undefined,
  own: OwnAddresses,
  logger: Logger,
): Promise<boolean | undefined> {
  if (file === undefined) {
    logger.warn('SIGHUP: there is no file to be read again, the configuration is in the store; nothing changes');
    return undefined;
  }
  const reading = readConfigFile(file, own);
  if (!('config' in reading)) {
    logger.error(`SIGHUP: ${file} is bad, the old configuration stays in force:\n${reading.messages}`);
    return false;
  }
  if (reading.notices !== '') logger.warn(reading.notices);
  try {
    const changes = await supervisor.reload(reading.config);
    logger.info(`SIGHUP: ${file} applied, ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`);
    return true;
  } catch (error) {
    if (error instanceof UnansweredError) {
      logger.error(`SIGHUP: ${file} may be applied in part: ${error.message}`);
      return false;
    }
    if (!(error instanceof ListenError || error instanceof RefusedError)) throw error;
    logger.error(`SIGHUP: the old configuration stays in force:\n${error.message}`);
    return false;
  }
}
