const { createServer } = require('node:http');
const { hostname } = require('node:os');
const { createClient } = require('redis');

const redis = createClient({ url: process.env.REDIS_URL });
redis.on('error', (error) => process.stderr.write(`redis: ${error.message}\n`));

async function answer(request, response) {
  if (request.url === '/health') {
    await redis.ping();
    response.end('ok\n');
  } else if (request.url === '/') {
    const visits = await redis.incr('visits');
    response.end(`${process.env.GREETING} from ${hostname()}, visit ${visits}\n`);
  } else {
    response.writeHead(404).end('there is only one page\n');
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    response.writeHead(503).end('redis does not answer\n');
  });
});

// Whoever is told to stop answers what is under way; nginx asks the other replica from then on.
process.once('SIGTERM', () => server.close(() => redis.quit()));

redis.connect().then(() => server.listen(3000, () => process.stdout.write('listening on port 3000\n')));
