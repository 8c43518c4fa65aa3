#include "tests/support/site.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>

#include "plumbline/io/files.hpp"
#include "src/report/text.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

/// The backend, after a look at where the sockets are about to be opened.
io::Backend here(io::Backend backend) {
  insist_on_own_netns();
  return backend;
}

std::filesystem::path fresh_directory() {
  std::string name = std::filesystem::temp_directory_path() / "plumbline-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  return name;
}

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += format(diagnostic) + "\n";
  return text;
}

}  // namespace

Site::Site(io::Backend backend)
    : host_(here(backend)), scratch_(backend), compiler_(scratch_), directory_(fresh_directory()) {}

Site::Site(std::filesystem::path ledger)
    : host_(here(io::Backend::nft)),
      scratch_(io::Backend::nft),
      compiler_(scratch_),
      directory_(std::move(ledger)),
      keeps_directory_(true) {}

Site::~Site() {
  if (!keeps_directory_) std::filesystem::remove_all(directory_);
}

engine::Context Site::context(io::Host* host) {
  io::Host& through = host != nullptr ? *host : host_;
  return {through, compiler_, ruleset_, directory_, options, may_forget};
}

spec::Desired Site::desired(const std::string& spec_text) const {
  const std::filesystem::path path = directory_ / "spec.json";
  std::ofstream(path) << spec_text;
  io::Files files;
  Diagnostics diagnostics;
  spec::Desired wanted = engine::read_spec({path}, files, options.mark, diagnostics);
  if (!diagnostics.ok()) throw std::runtime_error(joined(diagnostics.errors));
  return wanted;
}

engine::Prepared Site::prepare(const spec::Desired& wanted) {
  engine::Prepared prepared = engine::prepare(context(), wanted);
  if (!prepared.errors.empty()) throw std::runtime_error(joined(prepared.errors));
  return prepared;
}

engine::Outcome Site::carry_out(const engine::Prepared& prepared, io::Host* host) {
  return engine::carry_out(context(host), prepared);
}

engine::Prepared Site::apply(const std::string& spec_text) { return apply(desired(spec_text)); }

engine::Prepared Site::apply(const spec::Desired& wanted) {
  engine::Prepared prepared = prepare(wanted);
  const engine::Outcome outcome = carry_out(prepared);
  std::string words;
  for (const engine::StepReport& step : outcome.report.steps) words += step.message + "\n";
  EXPECT_TRUE(outcome.result == engine::Result::applied ||
              outcome.result == engine::Result::unchanged)
      << engine::format(outcome.result) << "\n"
      << shown(prepared) << words << joined(prepared.plan.refusals);
  EXPECT_EQ(shown(prepare(wanted)), "No changes. The host matches the spec.\n") << "after\n"
                                                                                << shown(prepared);
  return prepared;
}

std::string shown(const engine::Prepared& prepared) {
  return report::to_text(prepared.plan, false);
}

}  // namespace plumbline::test
