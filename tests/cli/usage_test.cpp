// Wrong usage and what is not available, as people and as scripts see them; and what a document of
// errors has, whatever the error.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <thread>

#include "plumbline/engine/pass.hpp"
#include "plumbline/io/descriptor.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;
using ::testing::Not;

using Arguments = std::vector<std::string>;

const char* const blackhole =
    R"({"version": 1, "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}]})";
const char* const nothing = R"({"version": 1})";

/// Standard output and standard error one by one, of a program with nobody to ask.
CommandResult shell(const std::string& redirected, Arguments arguments, std::string_view input) {
  arguments.insert(arguments.begin(),
                   {"sh", "-c", "exec \"$0\" \"$@\" " + redirected, PLUMBLINE_BINARY});
  return run(arguments, input);
}
CommandResult out_of(const Arguments& arguments, std::string_view input = {}) {
  return shell("2>/dev/null", arguments, input);
}
CommandResult err_of(const Arguments& arguments, std::string_view input = {}) {
  return shell("2>&1 >/dev/null", arguments, input);
}

class UsageTest : public NetnsTest {};

TEST_F(UsageTest, SaysWhatIsNotAvailable) {
  const std::pair<Arguments, const char*> cases[] = {
      {{"confirm"}, "verb confirm"},
      {{"rollback"}, "verb rollback"},
      {{"status"}, "verb status"},
      {{"status", "--watch"}, "verb status"},
      {{"history", "--since", "1h"}, "verb history"},
      {{"graph"}, "verb graph"},
      {{"graph", "a.json", "--format", "svg"}, "verb graph"},
      {{"--format", "svg", "graph"}, "option --format svg"},
      {{"--format", "dot", "graph"}, "option --format dot"},
      {{"--format", "mermaid", "graph"}, "option --format mermaid"},
      {{"plan", "--format", "markdown", "a.json"}, "option --format markdown"},
      {{"plan", "--format=commands", "a.json"}, "option --format commands"},
      {{"plan", "--out", "x", "a.json"}, "option --out"},
      {{"plan", "--rehearse", "a.json"}, "option --rehearse"},
      {{"plan", "--explain", "link br0", "a.json"}, "option --explain"},
      {{"apply", "--plan", "x"}, "option --plan"},
      {{"apply", "--confirm-within", "60s", "a.json"}, "option --confirm-within"},
      {{"apply", "--probe", "192.0.2.1", "--probe", "192.0.2.2", "a.json"}, "option --probe"},
      {{"apply", "--allow-lockout", "a.json"}, "option --allow-lockout"},
  };
  for (const auto& [arguments, what] : cases) {
    const CommandResult said = err_of(arguments);
    EXPECT_EQ(said.status, 64) << what;
    EXPECT_EQ(said.output, "plumbline: " + std::string(what) + ": not available\n");
  }
}

TEST_F(UsageTest, SaysWhatIsWrong) {
  const std::pair<Arguments, const char*> cases[] = {
      {{}, "a verb is required"},
      {{"--quiet"}, "a verb is required"},
      {{"aply", "a.json"}, "there is no verb 'aply'"},
      {{"--quiet", "aply", "--yes", "a.json"}, "there is no verb 'aply'"},
      {{"a\nb"}, "there is no verb 'a\\x0ab'"},
      {{"plan"}, "SPEC is required"},
      {{"apply", "--yes"}, "SPEC is required"},
      {{"plan", "--format", "xml", "a.json"}, "--format: xml not in {text,json}"},
      {{"run", "--interval", "never", "a.json"}, "--interval: expected 100ms to 24h"},
      {{"run", "-"}, "cannot watch standard input"},
  };
  for (const auto& [arguments, what] : cases) {
    const CommandResult said = err_of(arguments);
    EXPECT_EQ(said.status, 64) << what;
    EXPECT_THAT(said.output, HasSubstr(what));
  }
}

/// The one error of a document, which has every key.
json::object only_error(const CommandResult& ran) {
  boost::system::error_code error;
  const json::value document = json::parse(ran.output, error);
  EXPECT_FALSE(error) << "no document: " << ran.output;
  if (error || document.at("errors").as_array().size() != 1) return {};
  json::object fault = document.at("errors").at(0).as_object();
  EXPECT_EQ(fault.size(), 6U) << ran.output;
  for (const char* key : {"code", "message", "file", "pointer"}) {
    EXPECT_TRUE(fault.contains(key) && fault.at(key).is_string()) << key << ran.output;
  }
  for (const char* key : {"line", "column"}) {
    EXPECT_TRUE(fault.contains(key) && fault.at(key).is_number()) << key << ran.output;
  }
  return fault;
}

TEST_F(UsageTest, IsADocumentForWhoAsksForJson) {
  const std::pair<Arguments, const char*> cases[] = {
      {{"--format", "json", "status"}, "NOT_AVAILABLE"},
      {{"status", "--watch", "--format=json"}, "NOT_AVAILABLE"},
      {{"apply", "--probe", "192.0.2.1", "--format", "json", "-"}, "NOT_AVAILABLE"},
      {{"--format", "json"}, "USAGE"},
      {{"--format", "json", "plan"}, "USAGE"},
      {{"aply", "a.json", "--format=json"}, "USAGE"},
      {{"plan", "--no-such-option", "--format", "json", "-"}, "USAGE"},
      {{"apply", "--format", "json", "-"}, "USAGE"},
      {{"destroy", "--format", "json"}, "USAGE"},
      {{"adopt", "--format", "json", "link lo"}, "USAGE"},
      {{"run", "--format", "json", "-"}, "USAGE"},
  };
  for (const auto& [arguments, code] : cases) {
    const CommandResult ran = out_of(arguments, nothing);
    EXPECT_EQ(ran.status, 64);
    const json::object fault = only_error(ran);
    if (fault.empty()) continue;
    EXPECT_EQ(fault.at("code").as_string(), code) << ran.output;
    EXPECT_THAT(err_of(arguments, nothing).output, HasSubstr(fault.at("message").as_string()))
        << "the text is still said";
  }
  EXPECT_EQ(out_of({"plan"}).output, "") << "nobody asked for JSON";
  EXPECT_EQ(out_of({"plan", "--no-such-option", "--", "--format=json"}).output, "") << "a file";
}

TEST_F(UsageTest, ErrorsWithoutAPlaceHaveEveryKeyToo) {
  ASSERT_EQ(out_of({"apply", "--yes", "-"}, blackhole).status, 0);
  const std::tuple<Arguments, const char*, int> cases[] = {
      {{"apply", "--yes", "--format", "json", "-"}, "WOULD_REMOVE_EVERYTHING", 4},
      {{"adopt", "--yes", "--format", "json", "link lo"}, "NOT_ADOPTABLE", 4},
      {{"adopt", "--yes", "--format", "json", "link br7"}, "NO_SUCH_OBJECT", 1},
      {{"--netns", "/dev/null", "--format", "json", "show"}, "CANNOT_OBSERVE", 1},
  };
  for (const auto& [arguments, code, status] : cases) {
    const CommandResult ran = out_of(arguments, nothing);
    EXPECT_EQ(ran.status, status) << code;
    const json::object fault = only_error(ran);
    if (fault.empty() || !fault.contains("line")) continue;
    EXPECT_EQ(fault.at("code").as_string(), code);
    EXPECT_EQ(fault.at("file").as_string(), "");
    EXPECT_EQ(fault.at("line"), 0);
    EXPECT_EQ(fault.at("column"), 0);
  }
}

TEST_F(UsageTest, ALockNamesItsProcessAlsoWhereThatHasOnlyJustTakenIt) {
  const auto place = io::PrivateDirectory::make(engine::state_directory());
  const std::string path = engine::state_directory() / "lock";
  const io::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(file.get(), LOCK_EX | LOCK_NB), 0);
  const std::string pid = std::to_string(getpid());
  ssize_t written = 0;
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    written = pwrite(file.get(), pid.data(), pid.size(), 0);
  });
  const CommandResult refused = err_of({"destroy", "--yes"});
  writer.join();
  ASSERT_EQ(written, std::ssize(pid));
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(refused.output, HasSubstr("LOCKED: plumbline with pid " + pid + " is at work"));
}

TEST_F(UsageTest, AForeignPortIsNotSaidToGoWithItsBridge) {
  const char* const bridge = R"({"version": 1, "links": {"fcbr0": {"kind": "bridge"}}})";
  ASSERT_EQ(out_of({"apply", "--yes", "-"}, bridge).status, 0);
  ip("link add vx type veth peer name vy");
  ip("link set vx master fcbr0");
  const CommandResult refused = err_of({"destroy", "--yes"});
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(refused.output, HasSubstr("FOREIGN_DEPENDENTS: changing link fcbr0 would take its "
                                        "bridge from link vx, which is not ours (--take-foreign"));
  EXPECT_THAT(refused.output, Not(HasSubstr("along")));
  EXPECT_EQ(out_of({"destroy", "--yes", "--take-foreign"}).status, 0);
  EXPECT_THAT(ip("link show dev vx"), Not(HasSubstr("master"))) << "what was said is what happens";
}

}  // namespace
}  // namespace plumbline::test
