import { z } from 'zod';
import type { Api } from './api.ts';
import { bearerOf, EVERYONE, identityOf, scopeOf, type Identify } from './access.ts';
import type { EventFeed } from './event-feed.ts';
import { problems } from './openapi.ts';
import { Refused } from './problem.ts';

/** `GET /events`: what changes, as it changes. */
export function eventRoutes(api: Api, feed: EventFeed, identify: Identify): void {
  api.route({
    method: 'GET',
    url: '/events',
    exposeHeadRoute: false,
    config: { roles: EVERYONE },
    schema: {
      operationId: 'followEvents',
      tags: ['events'],
      summary: 'Server-sent events: `stock` with a Stock, `agent` with an Agent',
      description:
        'Events carry the newest state of what changed. Come back with the last id as ' +
        '`Last-Event-ID` to be told what was missed; comments are heartbeats. Who reads too ' +
        'slowly is told newer states only, and in the end dropped.',
      headers: z.object({ 'last-event-id': z.string().max(200).optional() }),
      response: {
        200: {
          description: 'The stream, without end',
          content: { 'text/event-stream': { schema: z.string() } },
        },
        ...problems(),
      },
    },
    handler: async (request, reply) => {
      if (!feed.hasRoom) throw new Refused('too-many-streams');
      const key = bearerOf(request);
      const stream = reply.raw;
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) stream.setHeader(name, value);
      }
      reply.hijack();
      // The last one asks reverse proxies such as nginx to pass events on at once.
      stream.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      feed.add({
        scope: scopeOf(request),
        withAgents: identityOf(request).role !== 'customer',
        stream,
        lastEventId: request.headers['last-event-id'],
        mayStay: async () => (await identify(key)) !== undefined,
      });
    },
  });
}
