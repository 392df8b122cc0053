import { Option } from 'commander';

/** `--plugins FOLDER`, which may be repeated. */
export function pluginsOption(): Option {
  return new Option('--plugins <folder>', 'a plugin, or a folder of plugins, beside those that are installed; may be repeated')
    .argParser((folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder]);
}
