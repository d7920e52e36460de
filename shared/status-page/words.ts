/** The fixed words of status pages, in each language; dates, durations and numbers come from `Intl`. */
import type { NoteState } from "../store/notes.ts";
import type { Language, PageNotice } from "../store/status-pages.ts";

/** `unknown` also for what has no data yet. */
export type PublicStatus = "up" | "degraded" | "down" | "maintenance" | "unknown";

export interface Words {
  readonly status: Readonly<Record<PublicStatus, string>>;
  readonly problems: (some: number, all: number) => string;
  readonly inMaintenance: (some: number, all: number) => string;
  readonly allUp: (all: number) => string;
  readonly someUp: (some: number, all: number) => string;
  /** A problem that no monitor sees. */
  readonly knownProblem: string;
  readonly nothing: string;
  readonly services: string;
  readonly search: string;
  readonly today: string;
  readonly daysAgo: (days: number) => string;
  /** What bars show to whoever does not see them. */
  readonly bars: (days: number, withTrouble: number) => string;
  readonly daysWithTrouble: (days: number) => string;
  readonly downFor: (duration: string) => string;
  readonly uptime: string;
  readonly latency: string;
  readonly noData: string;
  readonly now: string;
  readonly incidents: string;
  readonly noIncidents: (days: number) => string;
  readonly noneInMonth: string;
  readonly history: string;
  readonly back: string;
  readonly isDown: (name: string) => string;
  readonly wasDown: (name: string) => string;
  readonly hasProblems: (name: string) => string;
  readonly hadProblems: (name: string) => string;
  readonly ongoing: string;
  readonly lasted: (duration: string) => string;
  readonly states: Readonly<Record<NoteState, string>>;
  readonly kinds: Readonly<Record<PageNotice["kind"], string>>;
  readonly planned: string;
  readonly present: string;
  readonly asOf: string;
  readonly times: string;
  readonly links: string;
  readonly privatePage: string;
  readonly password: string;
  readonly open: string;
  readonly wrongPassword: string;
  readonly tooMany: string;
  readonly notFound: string;
  readonly notFoundText: string;
  readonly subscribing: SubscribingWords;
}

/** Of the form, the mails and the pages by which people subscribe and leave. */
interface SubscribingWords {
  readonly heading: string;
  readonly address: string;
  readonly subscribe: string;
  readonly sent: string;
  readonly wrongAddress: string;
  readonly tooMany: string;
  readonly confirm: string;
  readonly confirmText: (title: string) => string;
  readonly confirmed: string;
  readonly leave: string;
  readonly leaveText: (title: string) => string;
  readonly left: string;
  readonly over: string;
  /** Of the first mail. */
  readonly request: (title: string) => string;
  readonly ignore: string;
}

const en: Words = {
  status: { up: "Up", degraded: "Degraded", down: "Down", maintenance: "Maintenance", unknown: "No data" },
  problems: (some, all) =>
    `${some} of ${all} ${all === 1 ? "service" : "services"} ${some === 1 ? "has" : "have"} problems`,
  inMaintenance: (some, all) =>
    `${some} of ${all} ${all === 1 ? "service" : "services"} ${some === 1 ? "is" : "are"} in maintenance`,
  allUp: (all) => (all === 1 ? "The service is up" : `All ${all} services are up`),
  someUp: (some, all) => `${some} of ${all} services are up`,
  knownProblem: "There is a problem that we know of",
  nothing: "There is nothing to show yet",
  services: "Services",
  search: "Search services",
  today: "today",
  daysAgo: (days) => `${days} days ago`,
  bars: (days, withTrouble) => `Status of ${days} days, ${withTrouble} with trouble`,
  daysWithTrouble: (days) => (days === 1 ? "1 day with trouble" : `${days} days with trouble`),
  downFor: (duration) => `down for ${duration}`,
  uptime: "uptime",
  latency: "latency",
  noData: "no data",
  now: "Now",
  incidents: "Incidents",
  noIncidents: (days) => `No incidents in the last ${days} days.`,
  noneInMonth: "Nothing happened in this month.",
  history: "History",
  back: "Back to the present status",
  isDown: (name) => `${name} is down`,
  wasDown: (name) => `${name} was down`,
  hasProblems: (name) => `${name} has problems`,
  hadProblems: (name) => `${name} had problems`,
  ongoing: "still going on",
  lasted: (duration) => `lasted ${duration}`,
  states: { investigating: "Investigating", identified: "Identified", monitoring: "Monitoring", resolved: "Resolved" },
  kinds: { information: "Notice", maintenance: "Maintenance", problem: "Problem" },
  planned: "Planned maintenance",
  present: "Maintenance now",
  asOf: "As of",
  times: "Times are in",
  links: "Links",
  privatePage: "This page is private",
  password: "Password",
  open: "Open",
  wrongPassword: "The password is wrong.",
  tooMany: "Too many attempts. Try again in a minute.",
  notFound: "There is nothing here",
  notFoundText: "This status page does not exist, or has another address by now.",
  subscribing: {
    heading: "Mail about incidents and maintenance",
    address: "Mail address",
    subscribe: "Subscribe",
    sent: "If this address can be subscribed, a mail is on its way to it. Open the link in it to confirm.",
    wrongAddress: "This is no mail address.",
    tooMany: "Too many requests. Try again in an hour.",
    confirm: "Confirm",
    confirmText: (title) => `You will get mail about incidents and maintenance of ${title}.`,
    confirmed: "You are subscribed.",
    leave: "Unsubscribe",
    leaveText: (title) => `You will get no more mail about ${title}.`,
    left: "You get no more mail from this page.",
    over: "This link does not work any more. Subscribe again.",
    request: (title) =>
      `Somebody, probably you, asked for mail about incidents and maintenance of ${title} to this address. To confirm, open this link within a day:`,
    ignore: "If it was not you, do nothing: no more mail will come.",
  },
};

const de: Words = {
  status: {
    up: "Läuft",
    degraded: "Beeinträchtigt",
    down: "Ausgefallen",
    maintenance: "Wartung",
    unknown: "Keine Daten",
  },
  problems: (some, all) =>
    `${some} von ${all} ${all === 1 ? "Dienst" : "Diensten"} ${some === 1 ? "hat" : "haben"} Probleme`,
  inMaintenance: (some, all) =>
    `${some} von ${all} ${all === 1 ? "Dienst" : "Diensten"} ${some === 1 ? "ist" : "sind"} in Wartung`,
  allUp: (all) => (all === 1 ? "Der Dienst läuft" : `Alle ${all} Dienste laufen`),
  someUp: (some, all) => `${some} von ${all} Diensten laufen`,
  knownProblem: "Es gibt ein Problem, das wir kennen",
  nothing: "Hier gibt es noch nichts zu sehen",
  services: "Dienste",
  search: "Dienste suchen",
  today: "heute",
  daysAgo: (days) => `vor ${days} Tagen`,
  bars: (days, withTrouble) => `Status von ${days} Tagen, davon ${withTrouble} mit Störungen`,
  daysWithTrouble: (days) => (days === 1 ? "1 Tag mit Störungen" : `${days} Tage mit Störungen`),
  downFor: (duration) => `ausgefallen für ${duration}`,
  uptime: "Verfügbarkeit",
  latency: "Antwortzeit",
  noData: "keine Daten",
  now: "Jetzt",
  incidents: "Störungen",
  noIncidents: (days) => `Keine Störungen in den letzten ${days} Tagen.`,
  noneInMonth: "In diesem Monat ist nichts vorgefallen.",
  history: "Verlauf",
  back: "Zurück zum aktuellen Status",
  isDown: (name) => `${name} ist ausgefallen`,
  wasDown: (name) => `${name} war ausgefallen`,
  hasProblems: (name) => `${name} hat Probleme`,
  hadProblems: (name) => `${name} hatte Probleme`,
  ongoing: "dauert an",
  lasted: (duration) => `dauerte ${duration}`,
  states: {
    investigating: "Wird untersucht",
    identified: "Ursache gefunden",
    monitoring: "Wird beobachtet",
    resolved: "Behoben",
  },
  kinds: { information: "Hinweis", maintenance: "Wartung", problem: "Problem" },
  planned: "Geplante Wartung",
  present: "Wartung läuft",
  asOf: "Stand",
  times: "Zeiten in",
  links: "Links",
  privatePage: "Diese Seite ist nicht öffentlich",
  password: "Passwort",
  open: "Öffnen",
  wrongPassword: "Das Passwort ist falsch.",
  tooMany: "Zu viele Versuche. Bitte in einer Minute wieder versuchen.",
  notFound: "Hier gibt es nichts",
  notFoundText: "Diese Statusseite gibt es nicht, oder sie hat inzwischen eine andere Adresse.",
  subscribing: {
    heading: "Mail bei Störungen und Wartung",
    address: "Mail-Adresse",
    subscribe: "Abonnieren",
    sent: "Wenn diese Adresse abonnieren kann, ist eine Mail dorthin unterwegs. Öffnen Sie zum Bestätigen den Link darin.",
    wrongAddress: "Das ist keine Mail-Adresse.",
    tooMany: "Zu viele Anfragen. Bitte in einer Stunde wieder versuchen.",
    confirm: "Bestätigen",
    confirmText: (title) => `Sie bekommen Mails über Störungen und Wartung von ${title}.`,
    confirmed: "Sie haben abonniert.",
    leave: "Abbestellen",
    leaveText: (title) => `Sie bekommen keine Mails mehr über ${title}.`,
    left: "Sie bekommen keine Mails mehr von dieser Seite.",
    over: "Dieser Link gilt nicht mehr. Bitte neu abonnieren.",
    request: (title) =>
      `Jemand, vermutlich Sie, möchte an diese Adresse Mails über Störungen und Wartung von ${title}. Öffnen Sie zum Bestätigen innerhalb eines Tages diesen Link:`,
    ignore: "Wenn Sie es nicht waren, tun Sie nichts: Es kommt keine Mail mehr.",
  },
};

const fr: Words = {
  status: {
    up: "En service",
    degraded: "Dégradé",
    down: "En panne",
    maintenance: "Maintenance",
    unknown: "Aucune donnée",
  },
  problems: (some, all) =>
    `${some} ${some === 1 ? "service" : "services"} sur ${all} ${some === 1 ? "a" : "ont"} des problèmes`,
  inMaintenance: (some, all) =>
    `${some} ${some === 1 ? "service" : "services"} sur ${all} ${some === 1 ? "est" : "sont"} en maintenance`,
  allUp: (all) => (all === 1 ? "Le service fonctionne" : `Les ${all} services fonctionnent`),
  someUp: (some, all) => `${some} sur ${all} services fonctionnent`,
  knownProblem: "Il y a un problème que nous connaissons",
  nothing: "Il n’y a encore rien à voir",
  services: "Services",
  search: "Chercher un service",
  today: "aujourd’hui",
  daysAgo: (days) => `il y a ${days} jours`,
  bars: (days, withTrouble) => `État de ${days} jours, dont ${withTrouble} avec des perturbations`,
  daysWithTrouble: (days) => (days === 1 ? "1 jour avec des perturbations" : `${days} jours avec des perturbations`),
  downFor: (duration) => `en panne pendant ${duration}`,
  uptime: "disponibilité",
  latency: "latence",
  noData: "aucune donnée",
  now: "Maintenant",
  incidents: "Incidents",
  noIncidents: (days) => `Aucun incident ces ${days} derniers jours.`,
  noneInMonth: "Rien ne s’est passé ce mois-ci.",
  history: "Historique",
  back: "Retour à l’état actuel",
  isDown: (name) => `${name} est en panne`,
  wasDown: (name) => `${name} était en panne`,
  hasProblems: (name) => `${name} a des problèmes`,
  hadProblems: (name) => `${name} a eu des problèmes`,
  ongoing: "en cours",
  lasted: (duration) => `durée : ${duration}`,
  states: {
    investigating: "En cours d’analyse",
    identified: "Cause identifiée",
    monitoring: "Sous surveillance",
    resolved: "Résolu",
  },
  kinds: { information: "Avis", maintenance: "Maintenance", problem: "Problème" },
  planned: "Maintenance prévue",
  present: "Maintenance en cours",
  asOf: "État au",
  times: "Heures :",
  links: "Liens",
  privatePage: "Cette page est privée",
  password: "Mot de passe",
  open: "Ouvrir",
  wrongPassword: "Le mot de passe est faux.",
  tooMany: "Trop d’essais. Réessayez dans une minute.",
  notFound: "Il n’y a rien ici",
  notFoundText: "Cette page d’état n’existe pas, ou son adresse a changé.",
  subscribing: {
    heading: "Recevoir un mail en cas d’incident ou de maintenance",
    address: "Adresse mail",
    subscribe: "S’abonner",
    sent: "Si cette adresse peut être abonnée, un mail est en route. Ouvrez le lien qu’il contient pour confirmer.",
    wrongAddress: "Ce n’est pas une adresse mail.",
    tooMany: "Trop de demandes. Réessayez dans une heure.",
    confirm: "Confirmer",
    confirmText: (title) => `Vous recevrez des mails sur les incidents et la maintenance de ${title}.`,
    confirmed: "Vous êtes abonné.",
    leave: "Se désabonner",
    leaveText: (title) => `Vous ne recevrez plus de mails sur ${title}.`,
    left: "Vous ne recevez plus de mails de cette page.",
    over: "Ce lien ne fonctionne plus. Abonnez-vous de nouveau.",
    request: (title) =>
      `Quelqu’un, sans doute vous, demande des mails sur les incidents et la maintenance de ${title} à cette adresse. Pour confirmer, ouvrez ce lien dans la journée :`,
    ignore: "Si ce n’était pas vous, ne faites rien : il ne viendra plus de mail.",
  },
};

const es: Words = {
  status: { up: "Funciona", degraded: "Degradado", down: "Caído", maintenance: "Mantenimiento", unknown: "Sin datos" },
  problems: (some, all) =>
    `${some} de ${all} ${all === 1 ? "servicio" : "servicios"} ${some === 1 ? "tiene" : "tienen"} problemas`,
  inMaintenance: (some, all) =>
    `${some} de ${all} ${all === 1 ? "servicio" : "servicios"} ${some === 1 ? "está" : "están"} en mantenimiento`,
  allUp: (all) => (all === 1 ? "El servicio funciona" : `Los ${all} servicios funcionan`),
  someUp: (some, all) => `${some} de ${all} servicios funcionan`,
  knownProblem: "Hay un problema que conocemos",
  nothing: "Todavía no hay nada que mostrar",
  services: "Servicios",
  search: "Buscar servicios",
  today: "hoy",
  daysAgo: (days) => `hace ${days} días`,
  bars: (days, withTrouble) => `Estado de ${days} días, ${withTrouble} con problemas`,
  daysWithTrouble: (days) => (days === 1 ? "1 día con problemas" : `${days} días con problemas`),
  downFor: (duration) => `caído durante ${duration}`,
  uptime: "disponibilidad",
  latency: "latencia",
  noData: "sin datos",
  now: "Ahora",
  incidents: "Incidentes",
  noIncidents: (days) => `Ningún incidente en los últimos ${days} días.`,
  noneInMonth: "No pasó nada en este mes.",
  history: "Historial",
  back: "Volver al estado actual",
  isDown: (name) => `${name} está caído`,
  wasDown: (name) => `${name} estuvo caído`,
  hasProblems: (name) => `${name} tiene problemas`,
  hadProblems: (name) => `${name} tuvo problemas`,
  ongoing: "en curso",
  lasted: (duration) => `duró ${duration}`,
  states: {
    investigating: "Investigando",
    identified: "Causa identificada",
    monitoring: "En observación",
    resolved: "Resuelto",
  },
  kinds: { information: "Aviso", maintenance: "Mantenimiento", problem: "Problema" },
  planned: "Mantenimiento previsto",
  present: "Mantenimiento en curso",
  asOf: "A fecha de",
  times: "Horas en",
  links: "Enlaces",
  privatePage: "Esta página es privada",
  password: "Contraseña",
  open: "Abrir",
  wrongPassword: "La contraseña es incorrecta.",
  tooMany: "Demasiados intentos. Inténtelo de nuevo en un minuto.",
  notFound: "Aquí no hay nada",
  notFoundText: "Esta página de estado no existe, o tiene ahora otra dirección.",
  subscribing: {
    heading: "Correo sobre incidentes y mantenimiento",
    address: "Dirección de correo",
    subscribe: "Suscribirse",
    sent: "Si esta dirección se puede suscribir, hay un correo en camino. Abra el enlace que contiene para confirmar.",
    wrongAddress: "Esto no es una dirección de correo.",
    tooMany: "Demasiadas solicitudes. Inténtelo de nuevo en una hora.",
    confirm: "Confirmar",
    confirmText: (title) => `Recibirá correos sobre incidentes y mantenimiento de ${title}.`,
    confirmed: "Está suscrito.",
    leave: "Darse de baja",
    leaveText: (title) => `No recibirá más correos sobre ${title}.`,
    left: "Ya no recibe correos de esta página.",
    over: "Este enlace ya no funciona. Suscríbase de nuevo.",
    request: (title) =>
      `Alguien, probablemente usted, pidió correos sobre incidentes y mantenimiento de ${title} para esta dirección. Para confirmar, abra este enlace en el plazo de un día:`,
    ignore: "Si no fue usted, no haga nada: no llegará ningún otro correo.",
  },
};

const ja: Words = {
  status: { up: "正常", degraded: "性能低下", down: "停止", maintenance: "メンテナンス", unknown: "データなし" },
  problems: (some, all) => `${all}件中${some}件のサービスに問題があります`,
  inMaintenance: (some, all) => `${all}件中${some}件のサービスがメンテナンス中です`,
  allUp: (all) => `${all}件すべてのサービスが正常です`,
  someUp: (some, all) => `${all}件中${some}件のサービスが正常です`,
  knownProblem: "確認済みの問題があります",
  nothing: "まだ表示するものがありません",
  services: "サービス",
  search: "サービスを検索",
  today: "今日",
  daysAgo: (days) => `${days}日前`,
  bars: (days, withTrouble) => `${days}日間の状態、うち${withTrouble}日に問題あり`,
  daysWithTrouble: (days) => `問題のあった日：${days}日`,
  downFor: (duration) => `停止 ${duration}`,
  uptime: "稼働率",
  latency: "応答時間",
  noData: "データなし",
  now: "現在",
  incidents: "障害",
  noIncidents: (days) => `過去${days}日間に障害はありません。`,
  noneInMonth: "この月には何も起きていません。",
  history: "履歴",
  back: "現在の状態に戻る",
  isDown: (name) => `${name} が停止しています`,
  wasDown: (name) => `${name} が停止していました`,
  hasProblems: (name) => `${name} に問題があります`,
  hadProblems: (name) => `${name} に問題がありました`,
  ongoing: "継続中",
  lasted: (duration) => `継続時間 ${duration}`,
  states: { investigating: "調査中", identified: "原因特定", monitoring: "経過観察中", resolved: "解決済み" },
  kinds: { information: "お知らせ", maintenance: "メンテナンス", problem: "問題" },
  planned: "メンテナンスの予定",
  present: "メンテナンス中",
  asOf: "更新",
  times: "タイムゾーン：",
  links: "リンク",
  privatePage: "このページは非公開です",
  password: "パスワード",
  open: "開く",
  wrongPassword: "パスワードが違います。",
  tooMany: "試行回数が多すぎます。1分後にもう一度お試しください。",
  notFound: "ここには何もありません",
  notFoundText: "このステータスページは存在しないか、アドレスが変わりました。",
  subscribing: {
    heading: "障害とメンテナンスのお知らせメール",
    address: "メールアドレス",
    subscribe: "購読する",
    sent: "購読できるアドレスであれば、メールを送信しました。メール内のリンクを開いて確認してください。",
    wrongAddress: "メールアドレスではありません。",
    tooMany: "リクエストが多すぎます。1時間後にもう一度お試しください。",
    confirm: "確認する",
    confirmText: (title) => `${title} の障害とメンテナンスのメールが届きます。`,
    confirmed: "購読しました。",
    leave: "購読を解除",
    leaveText: (title) => `${title} のメールは届かなくなります。`,
    left: "このページからのメールは届かなくなりました。",
    over: "このリンクは無効です。もう一度購読してください。",
    request: (title) =>
      `このアドレスで ${title} の障害とメンテナンスのメールを受け取る申し込みがありました。確認するには、1日以内に次のリンクを開いてください：`,
    ignore: "心当たりがない場合は、何もしないでください。以後メールは届きません。",
  },
};

const WORDS: Readonly<Record<Language, Words>> = { en, de, fr, es, ja };

/** Words, dates and numbers as a page writes them. */
export interface Wording {
  readonly words: Words;
  readonly language: Language;
  readonly timeZone: string;
  /** A day and time. */
  readonly time: (iso: string) => string;
  readonly day: (iso: string) => string;
  /** A day of the bars, which are days in UTC. */
  readonly utcDay: (epochSeconds: number) => string;
  readonly month: (iso: string) => string;
  readonly duration: (seconds: number) => string;
  readonly number: (value: number, digits?: number) => string;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

export function wordingOf({ language, timeZone }: { readonly language: Language; readonly timeZone: string }): Wording {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone, ...options });
    return (iso: string) => formatter.format(new Date(iso));
  };
  const utcDay = format({ dateStyle: "long", timeZone: "UTC" });
  return {
    words: WORDS[language],
    language,
    timeZone,
    time: format({ dateStyle: "medium", timeStyle: "short" }),
    day: format({ dateStyle: "full" }),
    utcDay: (epochSeconds) => utcDay(new Date(epochSeconds * 1000).toISOString()),
    month: format({ year: "numeric", month: "long" }),
    duration: (seconds) => {
      const whole = Math.max(1, Math.round(seconds));
      const place = UNITS.findIndex(([, length]) => whole >= length);
      let left = whole;
      return UNITS.slice(place, place + 2)
        .flatMap(([unit, length]) => {
          const count = Math.floor(left / length);
          left -= count * length;
          return count === 0
            ? []
            : [new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count)];
        })
        .join(" ");
    },
    number: (value, digits = 0) =>
      new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
  };
}

/** An incident as its headline needs it, under the public name of what it is about. */
export interface Headlined {
  readonly name: string;
  readonly severity: "degraded" | "down";
  readonly endedAt: string | null;
}

/** "Orders is down", "Orders had problems". */
export function titleOf({ name, severity, endedAt }: Headlined, { words }: Pick<Wording, "words">): string {
  if (severity === "down") return endedAt === null ? words.isDown(name) : words.wasDown(name);
  return endedAt === null ? words.hasProblems(name) : words.hadProblems(name);
}
