// A configuration -> the text of a YAML file: one value to a line, however long, and nothing said by reference.

import { stringify } from 'yaml';

export function yamlText(configuration: unknown): string {
  return stringify(configuration, { aliasDuplicateObjects: false, lineWidth: 0 });
}
