#include "tests/sim/site.hpp"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include <stdexcept>

#include "plumbline/wire/netlink.hpp"
#include "src/report/text.hpp"
#include "tests/sim/described.hpp"
#include "tests/sim/links.hpp"
#include "tests/support/memory_files.hpp"

namespace plumbline::sim {

namespace {

std::filesystem::path fresh_directory() {
  std::string name = std::filesystem::temp_directory_path() / "plumbline-sim-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  // Its parent has to be ours alone too (io/private_files.hpp).
  return std::filesystem::path(name) / "state";
}

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += format(diagnostic) + "\n";
  return text;
}

void add_card(Namespace& there, const char* name) {
  Device card;
  card.name = name;
  card.flags = IFF_BROADCAST | IFF_MULTICAST;
  card.mac = there.new_mac(name);
  open_device(there, register_device(there, std::move(card)));
}

}  // namespace

Site::Site() : directory_(fresh_directory()) {
  open_device(kernel_.there(), kernel_.there().devices.at(1));
  add_card(kernel_.there(), "eth0");
  add_card(kernel_.there(), "eth1");
}

Site::~Site() { std::filesystem::remove_all(directory_.parent_path()); }

engine::Context Site::context(io::Host* host) {
  io::Host& through = host != nullptr ? *host : host_;
  return {through, compiler_, ruleset_, directory_, options, may_forget};
}

spec::Desired Site::desired(const std::string& spec_text) const {
  testing::MemoryFiles files({{"spec.json", spec_text}});
  Diagnostics diagnostics;
  spec::Desired wanted = engine::read_spec({"spec.json"}, files, options.mark, diagnostics);
  if (!diagnostics.ok()) throw std::runtime_error(joined(diagnostics.errors));
  return wanted;
}

engine::Prepared Site::prepare(const std::string& spec_text) {
  engine::Prepared prepared = engine::prepare(context(), desired(spec_text));
  if (!prepared.errors.empty()) throw std::runtime_error(joined(prepared.errors));
  return prepared;
}

engine::Outcome Site::carry_out(const engine::Prepared& prepared, io::Host* host) {
  return engine::carry_out(context(host), prepared);
}

engine::Prepared Site::apply(const std::string& spec_text) {
  engine::Prepared prepared = prepare(spec_text);
  const engine::Outcome outcome = carry_out(prepared);
  std::string words;
  for (const engine::StepReport& step : outcome.report.steps) words += step.message + "\n";
  EXPECT_TRUE(outcome.result == engine::Result::applied ||
              outcome.result == engine::Result::unchanged)
      << engine::format(outcome.result) << "\n"
      << shown(prepared) << words << joined(prepared.plan.refusals);
  EXPECT_EQ(shown(prepare(spec_text)), "No changes. The host matches the spec.\n")
      << "after\n"
      << shown(prepared);
  return prepared;
}

void Site::send(const wire::Request& request) {
  const wire::Reply reply = host_.exchange(std::span(&request, 1)).front();
  EXPECT_EQ(reply.error, 0) << reply.message;
}

std::vector<std::string> Site::state() { return described(kernel_.there()); }

std::string shown(const engine::Prepared& prepared) {
  return report::to_text(prepared.plan, false);
}

}  // namespace plumbline::sim
