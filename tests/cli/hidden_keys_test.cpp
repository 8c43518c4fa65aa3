// A key on the command line, or where a spec has words that plans and documents show, is printed
// nowhere, as text or as JSON. Drives the real binary.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
/// What is left of it whatever comes to harm.
const std::string middle = "XXJte14tji3zlMNq+hd2rYUIgJB";

/// More of them are tried by tests of load(): each of these is a run of the program.
const std::vector<std::string> damaged{key, "\"" + key.substr(3) + "\"",
                                       std::string(key).replace(2, 1, "!") + "A"};

class HiddenKeys : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    std::string name = std::filesystem::temp_directory_path() / "plumbline-cli-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    NetnsTest::TearDown();
  }

  std::string file(const std::string& text) {
    std::ofstream(directory_ / "spec.json") << text;
    return directory_ / "spec.json";
  }
  /// Both streams.
  static std::string said(std::vector<std::string> arguments) {
    std::vector<std::string> command{"sh", "-c", "exec \"$@\" 2>&1 </dev/null", "sh",
                                     PLUMBLINE_BINARY};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command).output;
  }
  static void expect_hidden(const std::vector<std::string>& arguments) {
    for (const char* const format : {"--format=text", "--format=json"}) {
      std::vector<std::string> words = arguments;
      words.emplace_back(format);
      const std::string text = said(words);
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text.find(middle.substr(0, 16)), std::string::npos) << text;
      EXPECT_EQ(text.find(middle.substr(11)), std::string::npos) << text;
    }
  }

  std::filesystem::path directory_;
};

TEST_F(HiddenKeys, OnTheCommandLineTheyAreNotEchoed) {
  const std::string spec = file(R"({ "version": 1 })");
  for (const std::string& text : damaged) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{text},
                                               {"apply", text},
                                               {"apply", "--yes", text},
                                               {"validate", text, spec},
                                               {"plan", "--" + text, spec},
                                               {"plan", "--netns", text, spec},
                                               {"plan", "--log-level=" + text, spec},
                                               {"plan", "--iptables", text, spec},
                                               {"plan", "--route-protocol", text, spec},
                                               {"plan", "--out=" + text, spec},
                                               {"show", text},
                                               {"vms", "--network", text},
                                               {"adopt", "--yes", text},
                                               {"adopt", "--yes", "link " + text},
                                               {"run", text, "--interval", text},
                                               {"doctor", "--color", text}}) {
      expect_hidden(arguments);
    }
  }
}

TEST_F(HiddenKeys, InAFieldOfASpecTheyAreInNoPlanAndNoDocument) {
  for (const std::string& text : {key, key.substr(0, 43), key.substr(3)}) {
    const std::string spec = file(R"({ "version": 1,
      "links": { "br0": { "kind": "bridge", "alias": ")" +
                                  text + R"(" } },
      "iptables": { "filter": { "chains": { "APP": { "rules": [
        { "match": "-p udp", "target": "DROP", "comment": ")" +
                                  text + R"(" } ] } } } },
      "sysctls": { "net.core.rmem_default": "212992" } })");
    expect_hidden({"plan", spec});
    expect_hidden({"apply", "--yes", spec});
    expect_hidden({"show"});
    expect_hidden({"show", "--all"});
    expect_hidden({"destroy", "--yes"});
  }
}

TEST_F(HiddenKeys, ThePublicKeysOfATunnelAreShown) {
  const std::string peer = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
  const std::string spec = file(R"({ "version": 1, "links": { "wg0": { "kind": "wireguard",
      "wireguard": { "privateKey": ")" +
                                key + R"(", "peers": { ")" + peer + R"(": {} } } } } })");
  EXPECT_NE(said({"plan", spec}).find(peer), std::string::npos);
  EXPECT_NE(said({"plan", "--format=json", spec}).find(peer), std::string::npos);
  expect_hidden({"plan", spec});
}

}  // namespace
}  // namespace plumbline::test
