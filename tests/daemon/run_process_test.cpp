// `plumbline run` as a process: signals, the lock, the supervisor, memory.

#include "tests/daemon/listener.hpp"
#include "tests/daemon/running.hpp"

namespace plumbline::daemon {
namespace {

class RunProcess : public RunTest {};

const std::string ours = "10.1.0.0/16";
const std::string theirs = "10.2.0.0/16";

TEST_F(RunProcess, EndsWellOnSignals) {
  write(file(), routes({ours}));
  for (const int signal : {SIGTERM, SIGINT}) {
    start_and_converge();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(stop(signal), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, promptly);
    EXPECT_TRUE(has_route(ours)) << "what is there stays there";
    std::filesystem::resize_file(directory().parent_path() / "log", 0);
  }
}

TEST_F(RunProcess, PassesAtOnceOnHangup) {
  write(file(), spec(R"("sysctls": { "net.ipv4.ip_forward": 1 })"));
  start_and_converge();
  write("/proc/sys/net/ipv4/ip_forward", "0");
  ::kill(pid(), SIGHUP);
  const auto is_on = [] {
    std::string value;
    std::ifstream("/proc/sys/net/ipv4/ip_forward") >> value;
    return value == "1";
  };
  EXPECT_TRUE(soon("the sysctl", is_on));
}

TEST_F(RunProcess, ARestartChangesNothing) {
  write(file(), routes({ours}));
  start_and_converge();
  EXPECT_EQ(stop(SIGTERM), 0);
  const int changes = times_logged("+ route");
  EXPECT_EQ(changes, 1);
  start();
  EXPECT_TRUE(soon(
      "ready again", [&] { return times_logged("ready: ") == 2; }, patiently));
  EXPECT_EQ(times_logged("+ route"), changes);
}

TEST_F(RunProcess, KnowsDriftFromNewsEvenWhenTheHostWasAsWantedAtTheStart) {
  write(file(), routes({ours}));
  start_and_converge();
  EXPECT_EQ(stop(SIGTERM), 0);
  std::filesystem::remove_all(engine::state_directory());
  start();
  EXPECT_TRUE(soon(
      "ready again", [&] { return times_logged("ready: ") == 2; }, patiently));
  test::ip("route del blackhole " + ours);
  EXPECT_TRUE(soon("the repair", [] { return has_route(ours); }));
  EXPECT_TRUE(soon("why", [&] { return logged("(drifted)"); }));
}

TEST_F(RunProcess, LetsApplyWorkAndThenPutsItsOwnSpecBack) {
  write(file(), routes({ours}));
  start_and_converge();
  const std::filesystem::path other = directory().parent_path() / "other.json";
  write(other, routes({theirs}));
  const test::CommandResult applied = test::run({PLUMBLINE_BINARY, "apply", "--yes", other});
  EXPECT_EQ(applied.status, 0) << applied.output;
  EXPECT_TRUE(soon("its own spec", [] { return has_route(ours) && !has_route(theirs); }));
}

TEST_F(RunProcess, WaitsForTheLockAndNamesItsHolder) {
  write(file(), routes({ours}));
  start_and_converge();
  {
    int holder = 0;
    const auto lock = engine::Lock::take(engine::state_directory(), holder);
    ASSERT_TRUE(lock);
    test::ip("route del blackhole " + ours);
    EXPECT_TRUE(soon("who is waited for", [&] {
      return logged("waiting for another plumbline, pid " + std::to_string(::getpid()));
    }));
    EXPECT_FALSE(has_route(ours));
  }
  EXPECT_TRUE(soon("the repair", [] { return has_route(ours); }));
  EXPECT_EQ(times_logged("warning waiting for another plumbline"), 1);
}

/// In a user namespace, as the limit of inotify is one of those and of the whole machine else.
TEST_F(RunProcess, GoesOnWithTheTimerWhereNoMoreFilesCanBeWatched) {
  const std::vector<std::string> elsewhere{"unshare", "--user", "--map-root-user", "--net"};
  std::vector<std::string> trial = elsewhere;
  trial.insert(trial.end(), {"test", "-w", "/proc/sys/user/max_inotify_watches"});
  if (test::run(trial).status != 0) GTEST_SKIP() << "no user namespace can be made here";
  const std::filesystem::path far = directory().parent_path() / "far";
  std::filesystem::create_directories(far);
  write(far / "more.json", routes({theirs}));
  write(file(), routes({ours}));
  start_through(elsewhere);
  start_and_converge("1s");
  const auto allow_watches = [&](const char* most) {
    test::must_run({"nsenter", "--user", "--preserve-credentials", "--target",
                    std::to_string(pid()), "sh", "-c",
                    "echo \"$0\" > /proc/sys/user/max_inotify_watches", most});
  };
  allow_watches("1");
  std::filesystem::create_symlink(far / "more.json", directory() / "more.json");
  ASSERT_TRUE(soon("the complaint", [&] { return logged("error some files are looked at"); }));
  EXPECT_TRUE(soon("what could be read even so", [&] { return logged("10.2.0.0/16"); }));
  const int passes = times_logged("debug pass (");
  write(far / "more.json", routes({"10.3.0.0/16"}));
  EXPECT_TRUE(soon(
      "what the timer found", [&] { return logged("10.3.0.0/16"); }, patiently));
  std::this_thread::sleep_for(promptly);
  EXPECT_LE(times_logged("debug pass (") - passes, 8 * slowness()) << "no spinning";
  EXPECT_EQ(times_logged("error some files are looked at"), 1) << "said once";
  allow_watches("10000");
  EXPECT_TRUE(soon(
      "its end", [&] { return logged("no longer: some files"); }, patiently));
  EXPECT_EQ(stop(SIGTERM), 0);
}

TEST_F(RunProcess, TellsItsSupervisorHowItIs) {
  const std::string socket = "@plumbline-run-test-" + std::to_string(::getpid());
  Listener supervisor(socket);
  ::setenv("NOTIFY_SOCKET", socket.c_str(), 1);
  write(file(), "{");
  start();
  ::unsetenv("NOTIFY_SOCKET");
  std::string heard;
  const auto hears = [&](const std::string& words) {
    for (std::string more = supervisor.heard(); !more.empty(); more = supervisor.heard()) {
      heard += more + "\n";
    }
    return heard.find(words) != std::string::npos;
  };
  EXPECT_TRUE(soon(
      "waiting", [&] { return hears("STATUS=waiting for a spec"); }, patiently));
  EXPECT_FALSE(hears("READY=1")) << heard;
  write(file(), routes({ours}));
  EXPECT_TRUE(soon("ready", [&] { return hears("READY=1"); }));
  EXPECT_TRUE(soon("its status", [&] { return hears("STATUS=as the spec says"); }));
  stop(SIGTERM);
  EXPECT_TRUE(hears("STOPPING=1"));
}

TEST_F(RunProcess, LogsALastingConditionOnce) {
  write(file(), spec(R"("routes": [ { "to": "10.3.0.0/16", "via": "192.0.2.1", "dev": "eth9" },
                                    { "to": "10.1.0.0/16", "type": "blackhole" } ])"));
  start_and_converge("100ms");
  EXPECT_TRUE(has_route(ours)) << "a blocked object holds nothing up";
  EXPECT_TRUE(soon(
      "some passes", [&] { return times_logged("debug pass (") > 6; }, patiently));
  EXPECT_EQ(times_logged("blocked: route inet main 10.3.0.0/16"), 1);
  test::ip("link add eth9 type veth peer name eth9-peer");
  test::ip("link set eth9-peer up");
  test::ip("addr add 192.0.2.2/24 dev eth9");
  test::ip("link set eth9 up");
  EXPECT_TRUE(soon("the route", [] { return ip_shows("route", "10.3.0.0/16 via 192.0.2.1"); }));
  EXPECT_TRUE(soon("that it is over",
                   [&] { return logged("no longer: blocked: route inet main 10.3.0.0/16"); }));
}

TEST_F(RunProcess, BacksOffWhilePassesFailAndRecoversWithTheSpec) {
  const std::string route = R"("routes": [ { "to": "10.1.0.0/16", "type": "blackhole" } ])";
  write(file(), spec(route + R"(, "sysctls": { "net.ipv4.ip_forward": "what" })"));
  start();
  EXPECT_TRUE(soon(
      "the failure", [&] { return logged("failed: sysctl net.ipv4.ip_forward"); }, patiently));
  EXPECT_TRUE(soon(
      "a second try", [&] { return times_logged("debug pass (") == 2; }, patiently));
  EXPECT_EQ(times_logged("error failed: sysctl net.ipv4.ip_forward"), 1) << "said once";
  EXPECT_FALSE(has_route(ours)) << "all or nothing";
  EXPECT_FALSE(logged("ready: "));
  write(file(), spec(route));
  EXPECT_TRUE(soon("the route", [] { return has_route(ours); }));
  EXPECT_TRUE(soon("that it is over", [&] { return logged("no longer: failed: sysctl"); }));
}

/// In KiB, as /proc/PID/status has it.
long resident(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      long size = 0;
      status >> size;
      return size;
    }
  }
  return 0;
}

TEST_F(RunProcess, DoesNotGrow) {
  // Otherwise a sanitizer keeps what is freed, and that grows for long.
  ::setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
  write(file(), routes({ours}));
  start_and_converge();
  ::unsetenv("ASAN_OPTIONS");
  const auto pass = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const int before = times_logged("debug pass (");
      write(file(), routes({i % 2 == 0 ? theirs : ours}));
      ::kill(pid(), SIGHUP);
      while (times_logged("debug pass (") == before) std::this_thread::sleep_for(milliseconds(1));
    }
  };
  pass(50);
  const long before = resident(pid());
  pass(300);
  std::cout << "    " << before << " KiB, and " << resident(pid()) << " KiB 300 passes later\n";
  EXPECT_LT(resident(pid()), before + (build_slowness == 1 ? 512 : 8192));
}

}  // namespace
}  // namespace plumbline::daemon
