// `--stream` asks what a long stream costs, all else how fast one program is
await import(process.argv.includes('--stream') ? './stream.js' : './main.js');
