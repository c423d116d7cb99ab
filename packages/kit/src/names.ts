import { randomInt } from 'node:crypto';

const adjectives =
  'able agile amber apt bold brave breezy bright brisk calm candid cheery civil clever cosy crisp dapper daring deft eager early earnest fair fleet fond frank free fresh gentle glad golden grand hale handy happy hardy hearty honest humble jaunty jolly jovial keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble patient plucky polite prime proud quick quiet ready robust rosy sharp sleek snug sober solid spry stable steady stoic stout sturdy sunny sure swift tidy trusty upbeat valiant vivid warm wise witty zesty'.split(
    ' ',
  );

const surnames =
  'amundsen baret barents beaufort bering bingham bligh bougainville bowditch cabot cabral chichester cook cousteau crozier dampier davis drake earhart elcano ericson flinders franklin frobisher fuchs gama gray grenville hanno harrison hawkins heyerdahl hudson humboldt joshua kane kotzebue laperouse macarthur magellan maury mawson mercator nansen nares nordenskiold orellana park peary piccard pytheas quiros raleigh rasmussen ross scoresby selkirk shackleton slocum tabei tasman torres tupaia vancouver vespucci villiers wallis weddell wilkes worsley zheng'.split(
    ' ',
  );

/**
 * A random container name, `adjective_surname` (navigators and explorers). `attempt` 0 is the plain pair; later attempts,
 * made when the name is taken, add a digit.
 */
export function randomName(attempt = 0, random: (below: number) => number = randomInt): string {
  const name = `${adjectives[random(adjectives.length)] ?? 'able'}_${surnames[random(surnames.length)] ?? 'cook'}`;
  return attempt === 0 ? name : `${name}${random(10)}`;
}
