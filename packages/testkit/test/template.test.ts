import '../template/index.test.js';
