"""Proofs as a service: jobs over HTTP, kept in a database until they are done.

| module | what it has |
| --- | --- |
| `job` | what a client submits, and what becomes of it |
| `store` | jobs and runners in a database |
| `schedule` | which job is next: priorities, fairness between clients, deadlines |
| `artifacts` | inputs and proofs, in a folder or an object store |
| `media`, `sample_body` | samples in the body of a request, and as they are kept |
| `served_key` | a key that the service proves with: what a proof takes, and what is refused |
| `loaded_keys` | keys in memory, with their workers; the one that was used least recently gives way |
| `job_budget` | a hiding proof's number, kept with its job |
| `job_trace` | the phases of the proof in progress, and how it is stopped |
| `runner` | takes job after job and proves |
| `clients` | who may submit: names and tokens |
| `events` | what happens to jobs, for logs and metrics |
| `settings` | what the operator chose |
| `job_service` | submissions, which are checked, and what becomes of them |
| `waiting` | requests that wait for jobs |
| `application`, `routes`, `schemas`, `problem`, `page` | the HTTP interface, its errors, and its page |
| `local_server` | HTTP and a runner in one process |
| `ray_application` | both as deployments of Ray Serve |
| `ray_scaling`, `ray_draining` | how many provers there are, and nodes that will go away |
| `deployment`, `ray_deployment` | what brings them onto a cluster |
| `client` | what Python programs use |

A job is accepted once its row and its inputs are on disk. From then on it runs to its end, whatever process
dies: a runner holds it by a lease, and a lease that runs out gives it back to the queue.
"""
