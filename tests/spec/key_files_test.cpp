// Key files that a spec names: where they are looked for, and what may not be read from.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "plumbline/io/files.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class KeyFiles : public ::testing::Test {
 protected:
  KeyFiles() {
    std::string name = fs::temp_directory_path() / "plumbline-keys-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory = name;
    write("wg0.key", "  yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n\n");
    fs::permissions(directory / "wg0.key", fs::perms(0600));
  }
  ~KeyFiles() override { fs::remove_all(directory); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory / name) << text;
  }
  /// `CODE` of each error, then of each warning.
  std::vector<std::string> load_with_key(const std::string& path) {
    write("spec.json", R"({"version": 1, "links": {"wg0": {"kind": "wireguard",
        "wireguard": {"privateKeyFile": ")" +
                           path + "\"}}}}");
    io::Files files;
    Diagnostics found;
    const Spec spec = load({directory / "spec.json"}, files, found);
    std::vector<std::string> codes;
    said.clear();
    for (const Diagnostic& each : found.errors) {
      codes.emplace_back(format(each.code));
      said += format(each);
    }
    for (const Diagnostic& each : found.warnings) codes.emplace_back(format(each.code));
    EXPECT_EQ(spec.state.of<WireGuard>().size(), found.ok() ? 1U : 0U);
    return codes;
  }

  fs::path directory;
  std::string said;  ///< all errors
};

TEST_F(KeyFiles, AreBesideTheSpecFileThatNamesThem) {
  EXPECT_THAT(load_with_key("wg0.key"), IsEmpty());
  EXPECT_THAT(load_with_key(directory / "wg0.key"), IsEmpty());
  fs::create_symlink("wg0.key", directory / "link.key");
  EXPECT_THAT(load_with_key("link.key"), IsEmpty());
  EXPECT_THAT(load_with_key("other.key"), ElementsAre("UNREADABLE_FILE"));
}

TEST_F(KeyFiles, AreRegularFilesWithAKey) {
  EXPECT_THAT(load_with_key("."), ElementsAre("UNREADABLE_FILE"));
  EXPECT_THAT(load_with_key("/dev/null"), ElementsAre("UNREADABLE_FILE"));
  write("bad.key", "yAnz5TF+");
  fs::permissions(directory / "bad.key", fs::perms(0600));
  EXPECT_THAT(load_with_key("bad.key"), ElementsAre("INVALID_WIREGUARD_CONFIG"));
}

TEST_F(KeyFiles, OthersMayNotWriteAndShouldNotRead) {
  fs::permissions(directory / "wg0.key", fs::perms(0644));
  EXPECT_THAT(load_with_key("wg0.key"), ElementsAre("EXPOSED_KEY"));
  fs::permissions(directory / "wg0.key", fs::perms(0602));
  EXPECT_THAT(load_with_key("wg0.key"), ElementsAre("INVALID_WIREGUARD_CONFIG"));
}

TEST_F(KeyFiles, AKeyInPlaceOfANameIsNotShown) {
  EXPECT_THAT(load_with_key("6OJG4XyAnz5TF1lXXJte14tji3zlMNqhd2rYUIgJBk0="),
              ElementsAre("UNREADABLE_FILE"));
  EXPECT_EQ(said.find("6OJG4"), std::string::npos) << said;
  EXPECT_THAT(load_with_key("PrivateKey = 6OJG4\\n"), ElementsAre("UNREADABLE_FILE"));
  EXPECT_EQ(said.find("6OJG4"), std::string::npos) << said;
}

TEST_F(KeyFiles, ADashIsNoStandardInput) {
  EXPECT_THAT(load_with_key("-"), ElementsAre("UNREADABLE_FILE"));
}

}  // namespace
}  // namespace plumbline::spec
