#include "not_put_back.hpp"

#include <algorithm>
#include <system_error>

#include "plumbline/io/descriptor.hpp"
#include "plumbline/memory/put_back.hpp"

namespace plumbline::engine {

namespace {

constexpr std::string_view unwritable = "a /proc/sys in which it can be written";

std::string in_brackets(std::string_view what, int error) {
  return std::string(what) + " (" + std::generic_category().message(error) + ")";
}

}  // namespace

void find_refusals(io::Host& host, const State& want, const State& have, memory::Memory& memory) {
  if (want.empty()) memory.refused.clear();
  std::vector<wire::Request> requests;
  const std::vector<memory::Due> wanted = memory::due(want, have, memory);
  for (const memory::Due& due : wanted) requests.push_back(due.probe);
  if (requests.empty()) return;
  const std::vector<wire::Reply> replies = host.exchange(requests);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string& name = wanted[i].key;
    const int error = replies.at(i).error;
    const auto known = memory.refused.find(name);
    if (io::is_shortage(error)) io::give_up(name + " cannot be looked at", error);
    if (error != 0 && error != ENOENT) {
      memory.refused[name] = in_brackets(unwritable, error);
    } else if (known != memory.refused.end() && known->second.starts_with(unwritable)) {
      memory.refused.erase(known);
    }
  }
}

std::vector<std::string> note_refusals(memory::Memory& memory, const Plan& plan,
                                       const Report& report) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < plan.steps.size() && i < report.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (report.steps[i].result != StepResult::failed || !may_stay(step)) continue;
    const int error = report.steps[i].error;
    // Gone with its link, or with its module: nothing is there to put back.
    if (error == ENOENT || error == ENODEV) continue;
    memory.refused[format(step.key)] = in_brackets(memory::waits_for(*step.after), error);
    words.push_back(format(step.key) + ": " + report.steps[i].message);
  }
  return words;
}

std::vector<std::string> blocked_returns(const memory::Memory& memory, const State& want,
                                         const Plan& plan) {
  std::vector<std::string> words;
  for (const Blocked& blocked : plan.blocked) {
    if (!memory::is_to_be_put_back(memory, want, blocked.key)) continue;
    std::string text = format(blocked.key) + ": waits for";
    for (const std::string& what : blocked.waits_for) text += " " + what;
    words.push_back(std::move(text));
  }
  return words;
}

}  // namespace plumbline::engine
