// `--stream` asks what a long stream costs, `--data` how fast rows are read, all else how fast one program is
const asked = (flag: string) => process.argv.includes(flag);
await import(asked('--stream') ? './stream.js' : asked('--data') ? './data.js' : './main.js');
