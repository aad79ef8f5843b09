# wetread's image: `wetread` as its entry point, run by a user without rights, nothing in it but Python and the project.
#   docker build -t wetread .                                    the NumPy engine
#   docker build -t wetread --build-arg REQUIREMENTS=keras .     with TensorFlow too
#   docker build -t wetread --build-arg REQUIREMENTS=onnx .      with ONNX Runtime too
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/wetread
ENV PATH=/opt/wetread/bin:$PATH
WORKDIR /source
# First what seldom changes, so that an edit of the code installs nothing again.
ARG REQUIREMENTS=runtime
COPY requirements/${REQUIREMENTS}.txt requirements.txt
RUN python -m pip install --compile --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE WEIGHTS_LICENSE ./
COPY schemas schemas
COPY wetread wetread
COPY producer producer
COPY worker worker
COPY trainer trainer
COPY screening screening
COPY gateway gateway
COPY web web
COPY cli cli
RUN python -m pip install --compile --no-deps --no-build-isolation .

FROM python:${PYTHON}-slim-bookworm
RUN groupadd --gid 10001 wetread \
    && useradd --uid 10001 --gid wetread --no-create-home --shell /usr/sbin/nologin wetread \
    && install --directory --owner wetread --group wetread /var/lib/wetread /var/lib/wetread/models \
        /var/lib/wetread/spool
COPY --from=build /opt/wetread /opt/wetread
ENV PATH=/opt/wetread/bin:$PATH PYTHONUNBUFFERED=1 WETREAD_HOME=/var/lib/wetread
USER 10001:10001
WORKDIR /var/lib/wetread
ENTRYPOINT ["wetread"]
CMD ["--help"]
