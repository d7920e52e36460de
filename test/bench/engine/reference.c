/*
 * What the machine can do at best: an epoll loop in C that checks TCP or UDP ports, and the targets that it and its
 * rivals check. Lines of JSON on standard output; the ports to check come on standard input.
 *
 *   reference targets <count>                  listens on so many TCP and UDP ports of 127.0.0.1
 *   reference tcp|udp <in flight> <checks> <m> m = 0: start all that fit, then wait; m = 1: look for answers after each start
 *   ... <m> <us>                               and from one start to the next at least so many microseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double cpu_us(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

enum kind { LISTENER, DATAGRAM, ACCEPTED };

static void watch(int ep, int fd, enum kind kind, unsigned events) {
  struct epoll_event e = {.events = events, .data.u64 = ((unsigned long long)kind << 32) | (unsigned)fd};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e)) perror("epoll_ctl"), exit(1);
}

static void listen_on(int ep, int count, int type) {
  for (int i = 0; i < count; i++) {
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    if (bind(fd, (void *)&a, size) || (type == SOCK_STREAM && listen(fd, 4096))) perror("listen"), exit(1);
    getsockname(fd, (void *)&a, &size);
    printf("%s%d", i ? "," : "", ntohs(a.sin_port));
    watch(ep, fd, type == SOCK_STREAM ? LISTENER : DATAGRAM, EPOLLIN);
  }
}

static void targets(int count) {
  int ep = epoll_create1(0);
  printf("{\"tcp\":[");
  listen_on(ep, count, SOCK_STREAM);
  printf("],\"udp\":[");
  listen_on(ep, count, SOCK_DGRAM);
  printf("]}\n");
  fflush(stdout);
  struct epoll_event events[256];
  char buffer[2048];
  for (;;) {
    int n = epoll_wait(ep, events, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = (int)(unsigned)events[i].data.u64;
      switch (events[i].data.u64 >> 32) {
      case LISTENER:
        for (int c; (c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) watch(ep, c, ACCEPTED, EPOLLIN | EPOLLRDHUP);
        break;
      case DATAGRAM:
        for (;;) {
          struct sockaddr_in from;
          socklen_t size = sizeof from;
          ssize_t length = recvfrom(fd, buffer, sizeof buffer, 0, (void *)&from, &size);
          if (length < 0) break;
          sendto(fd, buffer, length, 0, (void *)&from, size);
        }
        break;
      default:
        if (read(fd, buffer, sizeof buffer) <= 0 && errno != EAGAIN) close(fd);
        else if (events[i].events & (EPOLLRDHUP | EPOLLHUP)) close(fd);
      }
    }
  }
}

static double started[65536];
static double *latencies;
static int done, opened;

/* One readiness event of a check: its end. */
static void finish(int fd, int type) {
  double latency = now_us() - started[fd];
  int error = 0;
  socklen_t size = sizeof error;
  char buffer[64];
  if (type == SOCK_STREAM) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  else error = recv(fd, buffer, sizeof buffer, 0) < 0;
  close(fd);
  if (!error) latencies[opened++] = latency;
  done++;
}

static void begin(int ep, int port, int type) {
  int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  if (fd < 0) perror("socket"), exit(1);
  struct sockaddr_in a = loopback(port);
  started[fd] = now_us();
  if (connect(fd, (void *)&a, sizeof a) && errno != EINPROGRESS) perror("connect"), exit(1);
  if (type == SOCK_DGRAM && send(fd, "ping", 4, 0) < 0) perror("send");
  watch(ep, fd, ACCEPTED, type == SOCK_STREAM ? EPOLLOUT : EPOLLIN);
}

static int by_value(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

static int check(int type, int inflight, int checks, int eager, double rhythm) {
  static int ports[65536];
  int count = 0;
  while (count < 65536 && scanf("%d", &ports[count]) == 1) count++;
  latencies = malloc(checks * sizeof *latencies);
  int ep = epoll_create1(0), next = 0;
  struct epoll_event events[256];
  double cpu = cpu_us(), wall = now_us(), due = wall;
  while (done < checks) {
    int n = 0;
    while (next < checks && next - done < inflight && (rhythm == 0 || now_us() >= due)) {
      due = now_us() + rhythm;
      begin(ep, ports[next++ % count], type);
      if (eager && (n = epoll_wait(ep, events, 256, 0)) > 0) break;
    }
    if (n == 0) n = epoll_wait(ep, events, 256, rhythm > 0 ? 0 : -1);
    for (int i = 0; i < n; i++) finish((int)(unsigned)events[i].data.u64, type);
  }
  cpu = cpu_us() - cpu;
  wall = now_us() - wall;
  qsort(latencies, opened, sizeof *latencies, by_value);
  printf("{\"cpuUs\":%.2f,\"wallMs\":%.2f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"open\":%d}\n", cpu / checks, wall / 1e3,
         latencies[opened / 2] / 1e3, latencies[(int)(opened * 0.99)] / 1e3, opened);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "targets")) targets(atoi(argv[2]));
  if (argc >= 5)
    return check(strcmp(argv[1], "udp") ? SOCK_STREAM : SOCK_DGRAM, atoi(argv[2]), atoi(argv[3]), atoi(argv[4]),
                 argc > 5 ? atof(argv[5]) : 0);
  return 2;
}
